import * as Result from "effect/Result"
import type { Cid } from "../repo/cid.ts"
import type { Query } from "./calledUrl.ts"
import { findBlobs, stepsText } from "./blobs.ts"
import { compile } from "./compile.ts"
import { checkedAs, refused, within, type Check, type Checked } from "./issue.ts"
import { isPlainObject } from "./objects.ts"
import { compileParams, type Params } from "./params.ts"
import { blobSchemaAt } from "./places.ts"
import type { BodySchema, Definition, Definitions, MethodSchema } from "./schema.ts"

/** The kinds of main definitions that the server distinguishes. */
export type Kind = "query" | "procedure" | "subscription" | "record"

/** A record without issues: its type is known, or it isn't. */
export type RecordStatus = "valid" | "unknown"

/** A blob in a record, with its lexicon's constraints if there are any. */
export interface BlobUse {
  readonly cid: Cid
  readonly mimeType: string
  readonly size: number
  readonly path: string
  readonly accept?: ReadonlyArray<string>
  readonly maxSize?: number
}

const pass: Check = () => undefined

const unknownMethod = Result.fail(refused("no such method"))

// Shared: a valid record costs no allocation.
const validRecord: Checked<RecordStatus> = Result.succeed("valid")
const unknownRecord: Checked<RecordStatus> = Result.succeed("unknown")

/** Lexicon documents by NSID; each definition is compiled on first use. */
export class Catalog {
  readonly #documents: ReadonlyMap<string, Definitions>
  readonly #checks = new Map<string, Check>()
  readonly #params = new Map<string, (search: Query) => Checked<Params>>()

  constructor(documents: Readonly<Record<string, Definitions>>) {
    this.#documents = new Map(Object.entries(documents))
  }

  /** A definition by its full name. */
  definition(name: string): Definition | undefined {
    const hash = name.indexOf("#")
    const nsid = hash < 0 ? name : name.slice(0, hash)
    const def = hash < 0 ? "main" : name.slice(hash + 1)
    const defs = this.#documents.get(nsid)
    return defs !== undefined && Object.hasOwn(defs, def) ? defs[def] : undefined
  }

  /** The check for a definition of a value, or for a record's object. */
  check(name: string): Check | undefined {
    const made = this.#checks.get(name)
    if (made !== undefined) return made
    const definition = this.definition(name)
    if (definition === undefined) return undefined
    switch (definition.type) {
      case "query":
      case "procedure":
      case "subscription":
      case "permission-set":
        return undefined
      case "record":
        return this.#compiled(name, name, definition.record)
      default:
        return this.#compiled(name, name, definition)
    }
  }

  /** A method's schema; undefined if the NSID is unknown or names something else. */
  method(nsid: string): MethodSchema | undefined {
    const definition = this.definition(nsid)
    return definition?.type === "query" ||
      definition?.type === "procedure" ||
      definition?.type === "subscription"
      ? definition
      : undefined
  }

  /** The kind of an NSID: a method's kind, a record type, or undefined if unknown. */
  kindOf(nsid: string): Kind | undefined {
    const type = this.definition(nsid)?.type
    return type === "query" || type === "procedure" || type === "subscription" || type === "record"
      ? type
      : undefined
  }

  /** Parses query parameters by the method's lexicon, with defaults; ignores unknown ones. */
  parseParams(nsid: string, search: Query): Checked<Params> {
    let parse = this.#params.get(nsid)
    if (parse === undefined) {
      const method = this.method(nsid)
      if (method === undefined) return unknownMethod
      parse = compileParams(method.parameters)
      this.#params.set(nsid, parse)
    }
    return parse(search)
  }

  /** Checks a method's input body and applies the defaults of its own properties. */
  checkInput<T>(nsid: string, json: T): Checked<T> {
    const method = this.method(nsid)
    // A default also satisfies "required".
    const filled = withDefaults(method?.input, json)
    return this.#checkBody(method, `${nsid} input`, nsid, method?.input, filled)
  }

  /** Checks a method's output body. */
  checkOutput<T>(nsid: string, json: T): Checked<T> {
    const method = this.method(nsid)
    return this.#checkBody(method, `${nsid} output`, nsid, method?.output, json)
  }

  /**
   * Checks a record against its collection's lexicon; its `$type` must be the collection.
   */
  checkRecord(collection: string, record: unknown): Checked<RecordStatus> {
    if (this.definition(collection)?.type !== "record") return unknownRecord
    const issue = (this.check(collection) ?? pass)(record)
    if (issue !== undefined) return Result.fail(issue)
    const type = (record as Record<string, unknown>)["$type"]
    if (type === collection) return validRecord
    return Result.fail(within("$type", refused(`must be ${collection}`)))
  }

  /**
   * The record key type of a collection: `tid`, `nsid`, `any` or `literal:<key>`; undefined if
   * unknown.
   */
  recordKeyType(collection: string): string | undefined {
    const definition = this.definition(collection)
    return definition?.type === "record" ? definition.key : undefined
  }

  /** Every blob in a record, at any depth, with its lexicon's constraints if there are any. */
  blobRefs(collection: string, record: unknown): Array<BlobUse> {
    return findBlobs(record).map(({ steps, ...blob }) => {
      const schema = blobSchemaAt(collection, record, steps, (name) => this.definition(name))
      return {
        ...blob,
        path: stepsText(steps),
        ...(schema?.accept === undefined ? {} : { accept: schema.accept }),
        ...(schema?.maxSize === undefined ? {} : { maxSize: schema.maxSize })
      }
    })
  }

  #checkBody<T>(
    method: MethodSchema | undefined,
    key: string,
    nsid: string,
    body: BodySchema | undefined,
    json: T
  ): Checked<T> {
    if (method === undefined) return unknownMethod
    // A body without a schema, or a method without a body, has no restrictions.
    const check =
      this.#checks.get(key) ??
      (body?.schema === undefined ? pass : this.#compiled(key, nsid, body.schema))
    return checkedAs(json, check(json))
  }

  #compiled(key: string, name: string, schema: Parameters<typeof compile>[0]): Check {
    const home = name.split("#", 1)[0] ?? name
    const check = compile(schema, { name, home, resolve: (ref) => this.check(ref) })
    this.#checks.set(key, check)
    return check
  }
}

/** The body with the defaults of its own properties; nested defaults are not applied. */
const withDefaults = <T>(body: BodySchema | undefined, json: T): T => {
  if (body?.schema?.type !== "object" || !isPlainObject(json)) return json
  let filled: Record<string, unknown> = json
  for (const [name, schema] of Object.entries(body.schema.properties ?? {})) {
    if (!("default" in schema) || filled[name] !== undefined) continue
    filled = { ...filled, [name]: schema.default }
  }
  return filled as T
}
