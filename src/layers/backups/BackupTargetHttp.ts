import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { BackupTargetFailed, type BackupTargetShape } from "../../services/backups/BackupTarget.ts"

const Listing = Schema.Struct({
  objects: Schema.Array(Schema.Struct({ key: Schema.String, size: Schema.Int })),
  cursor: Schema.optionalKey(Schema.String)
})

/** Reads a server's backup store through its admin routes. */
export const make = (
  server: string,
  authorization: string
): Pick<BackupTargetShape, "name" | "get" | "list"> => {
  const ask = async (route: string, params: Readonly<Record<string, string>>) => {
    const url = `${server}/admin/backups/${route}?${new URLSearchParams(params)}`
    const response = await fetch(url, { headers: { authorization } })
    if (response.ok || response.status === 404) return response
    const said = /"message":"((?:[^"\\]|\\.){1,500})"/.exec(await response.text())?.[1]
    throw new Error(said ?? `the server answered ${response.status}`)
  }
  const failed = (operation: string, key: string) => (cause: unknown) =>
    new BackupTargetFailed({ operation, key, cause })
  return {
    name: server,
    get: (key) =>
      Effect.tryPromise({
        try: async () => {
          const { status, body, headers } = await ask("object", { key })
          if (status !== 404 && body !== null) {
            return { body, size: Number(headers.get("content-length")) }
          }
          await body?.cancel()
          return undefined
        },
        catch: failed("get", key)
      }),
    list: (prefix, cursor) =>
      Effect.tryPromise({
        try: async () => {
          const page = await ask("objects", { prefix, ...(cursor === undefined ? {} : { cursor }) })
          return Schema.decodeUnknownPromise(Listing)(await page.json())
        },
        catch: failed("list", prefix)
      })
  }
}
