import { must, serving as servingProject } from "../package/running.ts"
import { freePort } from "../server.ts"
import { type Json, jsonOf, place, program, readManifest } from "./workspace.ts"

interface Served {
  readonly url: string
  readonly get: (path: string, headers?: Record<string, string>) => Promise<Response>
  readonly json: (path: string, headers?: Record<string, string>) => Promise<Json>
  /** Signs in and posts, as the first account. */
  readonly post: () => Promise<{ uri: string; authorization: string }>
}

/** Serves an example while `use` runs. */
export const serving = async (
  name: string,
  use: (served: Served) => Promise<void>
): Promise<void> => {
  const port = await freePort()
  const project = { folder: place(name), command: program("nacre", "dist/cli.js"), port }
  await servingProject(project, async (url) => {
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
  })
}
