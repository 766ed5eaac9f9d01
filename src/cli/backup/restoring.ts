import * as Effect from "effect/Effect"
import type * as Schema from "effect/Schema"
import { CallFailed, Failed } from "../failure.ts"
import { patiently } from "../patience.ts"
import { ask } from "../prompts.ts"
import { procedure, type Remote } from "../xrpc.ts"

/** The administrator's path for backups. */
export const path = "admin/backups"

/** A path with its query; omits undefined parameters. */
const pathWith = (name: string, params: Readonly<Record<string, string | undefined>>): string => {
  const search = new URLSearchParams()
  for (const [key, value] of Object.entries(params)) {
    if (value !== undefined) search.set(key, value)
  }
  return `${path}/${name}?${search}`
}

/** Requests a part of a restore; repeating it is safe, because the server skips what it has restored. */
export const part = <S extends Schema.ConstraintDecoder<unknown>>(
  admin: Remote,
  name: string,
  output: S,
  params: Readonly<Record<string, string | undefined>>
) =>
  patiently(
    procedure(admin, pathWith(name, params), output),
    (error) => !(error instanceof CallFailed) || error.status === 503
  )

/** Asks for the account's name, unless `--yes` was given. */
export const confirm = Effect.fnUntraced(function* (
  name: string,
  isSure: boolean,
  of = "the backup"
) {
  if (isSure) return
  const typed = yield* ask({
    message: `Replace the records, blobs and preferences of ${name} with those of ${of}? Type ${name} to confirm`,
    otherwise: "--yes"
  })
  if (typed.trim() === name) return
  return yield* new Failed({ message: "Not confirmed. Nothing was changed" })
})
