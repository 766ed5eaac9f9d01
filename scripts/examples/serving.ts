import { spawn } from "node:child_process"
import { freePort } from "../server.ts"
import { environment, type Json, jsonOf, must, place, program, readManifest } from "./workspace.ts"

interface Served {
  readonly url: string
  readonly get: (path: string, headers?: Record<string, string>) => Promise<Response>
  readonly json: (path: string, headers?: Record<string, string>) => Promise<Json>
  /** Signs in and posts, as the first account. */
  readonly post: () => Promise<{ uri: string; authorization: string }>
}

/** Serves a project with `nacre dev`, as its owner would, while `use` runs. */
export const serving = async (
  name: string,
  use: (served: Served) => Promise<void>,
  given?: number
): Promise<void> => {
  const port = given ?? (await freePort())
  const child = spawn(process.execPath, [program("nacre", "dist/cli.js"), "dev"], {
    cwd: place(name),
    env: { ...environment, PORT: String(port) },
    stdio: ["ignore", "pipe", "pipe"]
  })
  let output = ""
  const ended = new Promise<void>((done) => child.once("close", () => done()))
  try {
    await new Promise<void>((ready, failed) => {
      const hear = (chunk: Buffer) => {
        output += chunk.toString()
        if (output.includes("Stop with Ctrl-C")) ready()
      }
      child.stdout.on("data", hear)
      child.stderr.on("data", hear)
      child.once("close", () => failed(new Error(`nacre dev ended:\n${output}`)))
    })
    const url = `http://localhost:${port}`
    const account = readManifest(place(name, ".data/account.json"))
    const call = async (nsid: string, input: object, headers: Record<string, string> = {}) => {
      const response = await fetch(`${url}/xrpc/${nsid}`, {
        method: "POST",
        headers: { "content-type": "application/json", ...headers },
        body: JSON.stringify(input)
      })
      must(response.ok, `${nsid} answers ${response.status} ${await response.clone().text()}`)
      return jsonOf(response)
    }
    await use({
      url,
      get: (path, headers = {}) => fetch(`${url}${path}`, { headers }),
      json: async (path, headers = {}) => jsonOf(await fetch(`${url}${path}`, { headers })),
      post: async () => {
        const { handle: identifier, password, did: repo } = account
        const { accessJwt } = await call("com.atproto.server.createSession", {
          identifier,
          password
        })
        const authorization = `Bearer ${String(accessJwt)}`
        const collection = "app.bsky.feed.post"
        const record = { $type: collection, text: "hello", createdAt: new Date().toISOString() }
        const { uri } = await call(
          "com.atproto.repo.createRecord",
          { repo, collection, record },
          { authorization }
        )
        return { uri: String(uri), authorization }
      }
    })
  } catch (cause) {
    throw new Error(`${String(cause)}\n${output}`, { cause })
  } finally {
    child.kill("SIGTERM")
    await ended
  }
}
