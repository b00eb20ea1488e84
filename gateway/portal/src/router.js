import { createRouter, createWebHistory } from "vue-router";
import { session } from "./session.js";
import CaseList from "./pages/CaseList.vue";
import CaseView from "./pages/CaseView.vue";
import ClockList from "./pages/ClockList.vue";
import ScanBatch from "./pages/ScanBatch.vue";
import ScanList from "./pages/ScanList.vue";
import SearchPage from "./pages/SearchPage.vue";
import SignIn from "./pages/SignIn.vue";
import WorkList from "./pages/WorkList.vue";

export const router = createRouter({
  history: createWebHistory(),
  routes: [
    { path: "/sign-in", component: SignIn, meta: { title: "登录", open: true } },
    { path: "/", component: WorkList, meta: { title: "我的待办" } },
    { path: "/cases", component: CaseList, meta: { title: "案件登记" } },
    { path: "/clocks", component: ClockList, meta: { title: "期限监管" } },
    { path: "/scans", component: ScanList, meta: { title: "扫描批次" } },
    { path: "/scans/:id", component: ScanBatch, meta: { title: "扫描批次" } },
    { path: "/search", component: SearchPage, meta: { title: "全文检索" } },
    { path: "/cases/:id", component: CaseView, meta: { title: "案件全景" } },
    { path: "/:rest(.*)*", redirect: "/" },
  ],
});

router.beforeEach(async (to) => {
  document.title = `${to.meta.title ?? ""} · 案卷`;
  if (to.meta.open) return true;
  if (!session.person) await session.load();
  return session.person ? true : { path: "/sign-in", query: { next: to.fullPath } };
});
