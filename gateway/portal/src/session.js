import { reactive } from "vue";
import { api } from "./api.js";

export const session = reactive({
  person: null,
  async load() {
    this.person = await api.get("/session").catch(() => null);
  },
  async signIn(sign_in, password) {
    this.person = await api.post("/session", { sign_in, password, mode: "cookie" });
  },
  async signOut() {
    await api.delete("/session");
    this.person = null;
  },
});
