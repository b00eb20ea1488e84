import vue from "@vitejs/plugin-vue";
import { defineConfig } from "vite";

// Everything is served by the gateway itself: no address outside, no font or script from elsewhere.
export default defineConfig({
  plugins: [vue()],
  base: "/",
  build: { outDir: "../../build/portal", emptyOutDir: true, chunkSizeWarningLimit: 1500 },
  server: { proxy: { "/api": "http://127.0.0.1:8080" } },
});
