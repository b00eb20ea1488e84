// A file to the archive room, resumable (tus 1.0), addressed by its SHA-256.
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { Upload } from "tus-js-client";
import { Problem, freshKey } from "./api.js";

const PIECE = 4 * 1024 * 1024;

// In pieces: crypto.subtle is there only over https, and wants the whole file in memory.
async function hashOf(file) {
  const digest = sha256.create();
  for (let at = 0; at < file.size; at += PIECE) digest.update(new Uint8Array(await file.slice(at, at + PIECE).arrayBuffer()));
  return bytesToHex(digest.digest());
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
  const hash = await hashOf(file);
  const metadata = { filename: file.name, filetype: file.type || "application/octet-stream", sha256: hash, purpose };
  if (caseId) metadata.case_id = caseId;
  if (bodyId) metadata.body_id = bodyId;
  await new Promise((resolve, reject) => {
    const sent = new Upload(file, {
      endpoint: "/api/v1/uploads", chunkSize: PIECE, retryDelays: [0, 1000, 3000, 5000], metadata,
      onBeforeRequest: (request) => request.getMethod() === "POST" && request.setHeader("Idempotency-Key", freshKey()),
      onError: (error) => reject(problemOf(error)), onSuccess: resolve,
    });
    sent.start();
  });
  return hash;
}
