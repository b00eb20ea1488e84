// One way to the API: JSON in and out, problems as errors a person can read.
export class Problem extends Error {
  constructor(status, body) {
    super(body.detail || body.title || "请求失败");
    this.status = status;
    this.errors = body.errors || [];
    this.requestId = body.request_id || "";
  }
}

// randomUUID is there only over https; many an intranet has http
export const freshKey = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");

async function ask(method, path, { body, bytes, version, params } = {}) {
  const query = params ? `?${new URLSearchParams(Object.entries(params).filter(([, v]) => v !== "" && v != null))}` : "";
  const headers = {};
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (bytes) headers["Content-Type"] = bytes.type;
  if (version) headers["If-Match"] = `"${version}"`;
  if (method === "POST") headers["Idempotency-Key"] = freshKey();
  let answer;
  try {
    answer = await fetch(`/api/v1${path}${query}`, { method, headers, body: body === undefined ? bytes : JSON.stringify(body) });
  } catch {
    throw new Problem(0, { detail: "网络不通，请检查网络后重试；已提交的内容不会丢失" });
  }
  if (answer.status === 204) return null;
  const told = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Problem(answer.status, told);
  return told;
}

export const api = {
  get: (path, params) => ask("GET", path, { params }),
  post: (path, body = {}, version = 0) => ask("POST", path, { body, version }),
  put: (path, bytes, version) => ask("PUT", path, { bytes, version }),
  delete: (path) => ask("DELETE", path),
};
