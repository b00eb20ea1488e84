// Codes of the API in the words of the court.
export const CASE_STATES = {
  received: "已收案", accepted: "已受理", docketed: "已立案", declined: "不予受理", not_docketed: "不予立案", closed: "已结案",
};
export const FILING_STATES = { submitted: "待审查", deficient: "待补正" };
export const ROLES = {
  court_president: "院长", vice_president: "副院长", division_head: "部门负责人", presiding_judge: "审判长", judge: "法官",
  judges_assistant: "法官助理", court_clerk: "书记员", docketing_clerk: "立案人员", body_leader: "机关负责人",
  case_officer: "办案人员", legal_reviewer: "法制审核", case_reviewer: "案件审核", review_head: "审核机构负责人", hearing_host: "听证主持人", registrar: "登记人员",
  archivist: "档案人员", scanner: "扫描人员", supervisor: "督办人员", body_administrator: "系统管理员",
  pack_publisher: "程序发布", operator: "运维",
};
export const PARTY_ROLES = {
  plaintiff: "原告", defendant: "被告", third_party: "第三人", respondent: "当事人", applicant: "申请人", party: "当事人",
};
export const OFFICER_ROLES = { responsible_judge: "承办法官", presiding_judge: "审判长", panel_member: "合议庭成员" };
export const PARTY_KINDS = { natural_person: "自然人", organisation: "单位" };
export const VISIT_STATES = { open: "办理中", in_approval: "审批中", waiting_for_effects: "后续办理中", done: "已办结", cancelled: "已撤销" };
export const TASK_STATES = { waiting_for_effects: "后续办理中", done: "已办结", returned: "已退回", cancelled: "已撤销" };
export const CLOCK_STATES = { running: "计时中", suspended: "已中止", stopped: "已停止", overdue: "已超期" };
export const DECISIONS = { agree: "同意", return: "退回", recall: "撤回", submit: "提交" };
export const UNITS = { "working-day": "个工作日", "calendar-day": "天", month: "天", year: "天", hour: "小时" };
export const INSTRUMENT_STATES = { draft: "拟稿", approved: "已签发", issuing: "制发中", issued: "已制发" };
export const SERVING_STATES = { started: "待送达", published: "公告期内", served: "已送达", failed: "未能送达" };
export const METHODS = {
  personal: "直接送达", electronic: "电子送达", postal: "邮寄送达", leaving: "留置送达", entrusted: "委托送达", publication: "公告送达",
};
export const READINGS = { none: "不识别", waiting: "识别中", read: "已识别" };
export const EVENTS = {
  started: "起算", excluded: "扣除", suspended: "中止", resumed: "恢复", extended: "延长", stopped: "停止", expired: "届满",
};
export const BATCH_STATES = { receiving: "接收中", received: "已收齐" };
export const PILE_STATES = { filed: "已归案", unclaimed: "待认领", discarded: "已作废" };
export const PILE_REASONS = {
  no_cover: "没有分隔页", unreadable: "分隔页无法识别", foreign: "分隔页属于其他机关", unknown: "分隔页不是本平台打印的", archived: "案件已归档",
};
export const COUNT_STATES = { not_counted: "未清点", agrees: "相符", differs: "不符" };
// an instant of the API as the clock on the wall shows it
export const atTime = (instant) => (instant ? new Date(instant).toLocaleString("sv", { timeZone: "Asia/Shanghai" }).slice(0, 16) : "—");
export const HIT_KINDS = { case: "案件", party: "当事人", instrument: "文书", page: "卷宗页" };
// bytes in a person's words
export const sizeOf = (bytes) => (bytes < 1024 ? `${bytes} 字节` : bytes < 1024 ** 2 ? `${Math.round(bytes / 1024)} KB` : `${(bytes / 1024 ** 2).toFixed(1)} MB`);
