// A file to the archive room, resumable (tus 1.0), addressed by its SHA-256.
import { Upload } from "tus-js-client";
import { Problem } from "./api.js";

async function hashOf(file) {
  const digest = await crypto.subtle.digest("SHA-256", await file.arrayBuffer());
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

function problemOf(error) {
  const body = error.originalResponse?.getBody();
  try {
    return new Problem(error.originalResponse.getStatus(), JSON.parse(body));
  } catch {
    return new Problem(0, { detail: "网络不通，上传未完成，请重试" });
  }
}

// The hash, once every byte is durable.
export async function upload(file, { purpose = "material", caseId = "", bodyId = "" } = {}) {
  const sha256 = await hashOf(file);
  const metadata = { filename: file.name, filetype: file.type || "application/octet-stream", sha256, purpose };
  if (caseId) metadata.case_id = caseId;
  if (bodyId) metadata.body_id = bodyId;
  await new Promise((resolve, reject) => {
    const sent = new Upload(file, {
      endpoint: "/api/v1/uploads", chunkSize: 4 * 1024 * 1024, retryDelays: [0, 1000, 3000, 5000], metadata,
      onBeforeRequest: (request) => request.getMethod() === "POST" && request.setHeader("Idempotency-Key", crypto.randomUUID()),
      onError: (error) => reject(problemOf(error)), onSuccess: resolve,
    });
    sent.start();
  });
  return sha256;
}
