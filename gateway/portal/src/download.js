// A stored file of a case under its own name, in the pieces in which the API hands it out.
import { Problem } from "./api.js";

const CUT = { detail: "网络不通，下载未完成，请重试" };
const NOT_WHOLE = { detail: "文件不完整，请联系承办部门" };

async function piece(sha256, params) {
  const answer = await fetch(`/api/v1/files/${sha256}?${new URLSearchParams(params)}`).catch(() => null);
  if (!answer) throw new Problem(0, CUT);
  if (!answer.ok) throw new Problem(answer.status, await answer.json().catch(() => ({})));
  const bytes = await answer.blob().catch(() => { throw new Problem(0, CUT); });
  return { bytes, size: Number(answer.headers.get("Anjuan-File-Size")) };
}

export async function download(sha256, caseId, name) {
  const pieces = [];
  let at = 0;
  let size = 0;
  do {
    const next = await piece(sha256, { case_id: caseId, offset: at });
    if (!next.bytes.size) throw new Problem(0, NOT_WHOLE);
    pieces.push(next.bytes);
    at += next.bytes.size;
    size = next.size;
  } while (at < size);
  if (at !== size) throw new Problem(0, NOT_WHOLE);
  const url = URL.createObjectURL(new Blob(pieces, { type: pieces[0].type }));
  Object.assign(document.createElement("a"), { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 60000); // the browser has taken it by then
}
