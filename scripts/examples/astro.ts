import { spawn } from "node:child_process"
import { randomBytes } from "node:crypto"
import { freePort } from "../server.ts"
import { environment, must } from "../package/running.ts"
import { jsonOf, place, program } from "./workspace.ts"

/**
 * Serves the built site as wrangler does, with the PDS at its own paths; creates an account and
 * posts.
 */
export const servingAstro = async (): Promise<void> => {
  const port = await freePort()
  const url = `http://localhost:${port}`
  const secrets = {
    PUBLIC_URL: url,
    MASTER_KEY: randomBytes(32).toString("base64url"),
    PLC_ROTATION_KEY: "01".repeat(32),
    ADMIN_PASSWORD: "administrator-password",
    RELAYS: "none"
  }
  const vars = Object.entries(secrets).flatMap(([name, value]) => ["--var", `${name}:${value}`])
  const words = ["dev", "--config", "dist/server/wrangler.json", "--port", String(port)]
  const child = spawn(
    process.execPath,
    [program("wrangler", "bin/wrangler.js"), ...words, ...vars],
    { cwd: place("astro"), env: environment, stdio: ["ignore", "pipe", "pipe"] }
  )
  let output = ""
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk: Buffer) => (output += chunk.toString()))
  }
  const ended = new Promise<void>((done) => child.once("close", () => done()))
  const ask = (path: string, init: RequestInit = {}) => fetch(`${url}${path}`, init)
  const send = async (nsid: string, authorization: string, input: object) => {
    const headers = { authorization, "content-type": "application/json" }
    const body = JSON.stringify(input)
    const response = await ask(`/xrpc/${nsid}`, { method: "POST", headers, body })
    must(response.ok, `${nsid} answers ${response.status} ${await response.clone().text()}`)
    return jsonOf(response)
  }
  try {
    for (let tries = 0; tries < 60; tries++) {
      const ready = await ask("/ready").catch(() => undefined)
      if (ready?.ok === true) break
      await new Promise((next) => setTimeout(next, 500))
    }
    must((await (await ask("/")).text()).includes("An Astro site"), "Astro answers /")
    must((await ask("/nothing")).status === 404, "Astro answers what is nowhere")
    const admin = `Basic ${Buffer.from(`admin:${secrets.ADMIN_PASSWORD}`).toString("base64")}`
    const did = `did:web:${encodeURIComponent(`localhost:${port}`)}`
    const account = {
      did,
      handle: "you.test",
      email: "you@example.com",
      password: "a long password"
    }
    const { accessJwt } = await send("com.atproto.server.createAccount", admin, account)
    const collection = "app.bsky.feed.post"
    const record = { $type: collection, text: "hello", createdAt: new Date().toISOString() }
    const authorization = `Bearer ${String(accessJwt)}`
    await send("com.atproto.repo.createRecord", authorization, { repo: did, collection, record })
  } catch (cause) {
    throw new Error(`${String(cause)}\n${output}`, { cause })
  } finally {
    child.kill("SIGTERM")
    await ended
  }
}
