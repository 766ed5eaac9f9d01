/** A reference to a definition: `nsid`, `nsid#name`, or `#name` within the same document. */
export type Ref = string

/** A boolean; `const` fixes it. */
export interface BooleanSchema {
  readonly type: "boolean"
  readonly default?: boolean
  readonly const?: boolean
}

/** A 53-bit integer within bounds. */
export interface IntegerSchema {
  readonly type: "integer"
  readonly default?: number
  readonly const?: number
  readonly enum?: ReadonlyArray<number>
  readonly minimum?: number
  readonly maximum?: number
}

/** A string: lengths are UTF-8 bytes, graphemes are user-perceived characters. */
export interface StringSchema {
  readonly type: "string"
  readonly format?: string
  readonly default?: string
  readonly const?: string
  readonly enum?: ReadonlyArray<string>
  readonly knownValues?: ReadonlyArray<string>
  readonly minLength?: number
  readonly maxLength?: number
  readonly minGraphemes?: number
  readonly maxGraphemes?: number
}

/** A byte string; lengths are raw bytes. */
export interface BytesSchema {
  readonly type: "bytes"
  readonly minLength?: number
  readonly maxLength?: number
}

/** The constraints on a blob: accepted MIME patterns, maximum size in bytes. */
export interface BlobSchema {
  readonly type: "blob"
  readonly accept?: ReadonlyArray<string>
  readonly maxSize?: number
}

/** A list whose elements share one schema. */
export interface ArraySchema {
  readonly type: "array"
  readonly items: Schema
  readonly minLength?: number
  readonly maxLength?: number
}

/** An object; unknown properties are allowed. */
export interface ObjectSchema {
  readonly type: "object"
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: ReadonlyArray<string>
  readonly nullable?: ReadonlyArray<string>
}

/** One of several objects, distinguished by `$type`; open unless `closed`. */
export interface UnionSchema {
  readonly type: "union"
  readonly refs: ReadonlyArray<Ref>
  readonly closed?: boolean
}

/** Any schema of a value. */
export type Schema =
  | BooleanSchema
  | IntegerSchema
  | StringSchema
  | BytesSchema
  | BlobSchema
  | ArraySchema
  | ObjectSchema
  | UnionSchema
  | { readonly type: "ref"; readonly ref: Ref }
  | { readonly type: "cid-link" | "unknown" | "token" | "null" }

/** The query parameters of a method. */
export interface ParamsSchema {
  readonly type: "params"
  readonly required?: ReadonlyArray<string>
  readonly properties?: Readonly<Record<string, Schema>>
}

/** The body of a request or a response. */
export interface BodySchema {
  readonly encoding: string
  readonly schema?: Schema
}

/** A query, a procedure, or a subscription. */
export interface MethodSchema {
  readonly type: "query" | "procedure" | "subscription"
  readonly parameters?: ParamsSchema
  readonly input?: BodySchema
  readonly output?: BodySchema
  readonly message?: { readonly schema: Schema }
  readonly errors?: ReadonlyArray<{ readonly name: string }>
}

/** A record type: its record-key type and its object. */
export interface RecordSchema {
  readonly type: "record"
  readonly key: string
  readonly record: ObjectSchema
}

/** A bundle of OAuth permissions; it doesn't validate data. */
export interface PermissionSetSchema {
  readonly type: "permission-set"
}

/** Any definition in a document. */
export type Definition = Schema | MethodSchema | RecordSchema | PermissionSetSchema

/** The definitions of a document by name. */
export type Definitions = Readonly<Record<string, Definition>>

/** The full name of a ref's target, `nsid` or `nsid#name`, for a ref in the document `home`. */
export const fullName = (ref: Ref, home: string): string => {
  const full = ref.startsWith("#") ? home + ref : ref
  return full.endsWith("#main") ? full.slice(0, -"#main".length) : full
}
