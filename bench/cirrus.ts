/**
 * Cirrus, the other PDS on Workers, in one workerd process as this server is.
 */
import { Secp256k1Keypair } from "@atproto/crypto"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { freePort, serve } from "../scripts/server.ts"

const did = "did:web:bench.example.com"
const password = "a long password"
/** The bcrypt hash of the password, with the cost that Cirrus's command uses. */
const passwordHash = "$2b$10$RVS/P3/87/0Z5NjwKdDMWOHchcXI5UHIwrDDnnNd8CaVBCd.WH03."

/**
 * Starts what `wrangler deploy --dry-run --minify --outdir <folder>` has built of a Cirrus project:
 * one module of code, and its pages as texts.
 */
export const startCirrus = async (folder: string, dataDir: string) => {
  const textOf = (name: string) => readFileSync(join(folder, name), "utf8")
  const key = await Secp256k1Keypair.create({ exportable: true })
  const code = textOf("index.js")
  const pages = readdirSync(folder).filter((name) => name.endsWith(".html"))
  const server = await serve({
    code,
    port: await freePort(),
    dataDir,
    bindings: {
      DID: did,
      HANDLE: "bench.example.com",
      PDS_HOSTNAME: "bench.example.com",
      AUTH_TOKEN: "token of the bench",
      SIGNING_KEY: Buffer.from(await key.export()).toString("hex"),
      SIGNING_KEY_PUBLIC: key.did().slice("did:key:".length),
      JWT_SECRET: "secret of the bench, long enough for HS256",
      PASSWORD_HASH: passwordHash
    },
    options: {
      modules: [
        { type: "ESModule", path: "main.mjs", contents: code },
        ...pages.map((path) => ({ type: "Text" as const, path, contents: textOf(path) }))
      ],
      compatibilityDate: "2025-12-02",
      compatibilityFlags: ["nodejs_compat"],
      durableObjects: { ACCOUNT: { className: "AccountDurableObject", useSQLite: true } },
      r2Buckets: { BLOBS: "blobs" }
    }
  })
  const { url, pid, stop } = server
  if (pid === undefined) throw new Error("the process of Cirrus is unknown")
  return { url, workerd: pid, stop, account: { did, password } }
}
