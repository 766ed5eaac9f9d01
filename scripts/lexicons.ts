/**
 * Writes src/core/lexicon/documents.json: the lexicon definitions that this server needs, from
 * the documents of @atproto/api. `--check` writes nothing and fails if the file is stale.
 */
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { schemas } from "@atproto/api"
import { root } from "./build.ts"

const file = join(root, "src/core/lexicon/documents.json")

const served =
  /^com\.atproto\.(server|repo|sync|identity|admin|temp|moderation|label|lexicon)\.|^app\.bsky\.actor\.(get|put)Preferences$/

type Json = { readonly [key: string]: any }

// SAFETY: lexicon documents are JSON; each definition is an object.
const documents = new Map<string, Readonly<Record<string, Json>>>(
  schemas.map((document) => [document.id, document.defs as Readonly<Record<string, Json>>])
)

/** The full name of a definition: `nsid` for a main definition, `nsid#name` for any other. */
const fullName = (ref: string, home: string): string => {
  const [nsid = "", name] = ref.replace(/^lex:/, "").split("#")
  return name === undefined || name === "main" ? nsid || home : `${nsid || home}#${name}`
}

/** A copy of a schema without parts that validators ignore, and with the shortest refs. */
const trimmed = (schema: Json, home: string, seen: (name: string) => void): Json => {
  const shortRef = (ref: string): string => {
    const full = fullName(ref, home)
    seen(full)
    return full.startsWith(`${home}#`) ? full.slice(home.length) : full
  }
  const schemasOf = (map: Json) =>
    Object.fromEntries(Object.entries(map).map(([name, inner]) => [name, copy(inner)]))
  const copy = (node: Json): Json => {
    const out: Record<string, any> = {}
    for (const [key, value] of Object.entries(node)) {
      if (key === "description" || key === "knownValues") continue
      else if (key === "ref") out["ref"] = shortRef(value)
      else if (key === "refs") out["refs"] = value.map(shortRef)
      else if (key === "properties") out["properties"] = schemasOf(value)
      else if (key === "errors") continue
      // A server need not check its own answers; what they refer to is kept, for lexicons of an app's own methods.
      else if (key === "output") copy(value)
      else if (/^(record|items|parameters|input|message|schema)$/.test(key)) out[key] = copy(value)
      else if (Array.isArray(value) && value.length === 0 && key === "required") continue
      else out[key] = value
    }
    return out
  }
  return copy(schema)
}

const kept = new Map<string, Map<string, Json>>()
const queue = [...documents]
  .filter(([nsid, { main }]) => main && (served.test(nsid) || main["type"] === "record"))
  .map(([nsid]) => nsid)
for (let name = queue.pop(); name !== undefined; name = queue.pop()) {
  const [nsid = "", def = "main"] = name.split("#")
  const schema = documents.get(nsid)?.[def]
  if (schema === undefined) throw new Error(`${name} is referred to but not in @atproto/api`)
  const defs = kept.get(nsid) ?? new Map<string, Json>()
  kept.set(nsid, defs)
  if (!defs.has(def))
    defs.set(
      def,
      trimmed(schema, nsid, (ref) => queue.push(ref))
    )
}

const sorted = <A>(map: ReadonlyMap<string, A>, inner: (value: A) => unknown) =>
  Object.fromEntries(
    [...map].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([key, value]) => [key, inner(value)])
  )
const text = `${JSON.stringify(sorted(kept, (defs) => sorted(defs, (schema) => schema)))}\n`

if (!process.argv.includes("--check")) {
  writeFileSync(file, text)
} else if (readFileSync(file, "utf8") !== text) {
  console.error("src/core/lexicon/documents.json is stale: run `npm run lexicons`")
  process.exitCode = 1
}
