import { homedir } from "node:os"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import * as Schema from "effect/Schema"
import { nacre } from "../../../scripts/project.ts"
import { writePrivate } from "../../../scripts/env.ts"
import { Did, Handle, Opaque, Origin } from "../answers.ts"
import { Failed } from "../failure.ts"
import { ProfileFlag, variable } from "../flags.ts"

const Owner = Schema.Struct({
  server: Origin,
  did: Did,
  handle: Handle,
  accessJwt: Opaque,
  refreshJwt: Opaque,
  /** Whether commands for the administrator act as this account, an operator. */
  operator: Schema.optionalKey(Schema.Boolean),
  /** Milliseconds. */
  signedInAt: Schema.Finite
})

const Admin = Schema.Struct({
  server: Origin,
  adminPassword: Schema.RedactedFromValue(Schema.String),
  signedInAt: Schema.Finite
})

const Stored = Schema.Union([Owner, Admin])
const File = Schema.fromJsonString(Stored)

/** The session of an account's owner, with its profile's name. */
export type OwnerProfile = typeof Owner.Type & { readonly name: string }

/** The administrator's password of a server, with its profile's name. */
export type AdminProfile = typeof Admin.Type & { readonly name: string }

/** A server and its signed-in person. */
export type Profile = OwnerProfile | AdminProfile

/** Whether a profile holds an owner's session. */
export const isOwner = (profile: Profile): profile is OwnerProfile => "did" in profile

/** The folder of this user's settings, by the system's convention. */
const settingsFolder = Effect.gen(function* () {
  const path = yield* Path.Path
  const given = yield* variable("XDG_CONFIG_HOME")
  if (given !== undefined) return given
  if (process.platform === "win32") {
    return (yield* variable("APPDATA")) ?? path.join(homedir(), "AppData", "Roaming")
  }
  return process.platform === "darwin"
    ? path.join(homedir(), "Library", "Application Support")
    : path.join(homedir(), ".config")
})

/** The command's own folder: NACRE_CONFIG_DIR, or `nacre` among the user's settings. */
const ownFolder = Effect.gen(function* () {
  const path = yield* Path.Path
  return (yield* variable("NACRE_CONFIG_DIR")) ?? path.join(yield* settingsFolder, "nacre")
})

const isName = (name: string): boolean => /^[A-Za-z0-9][\w.@-]{0,252}$/.test(name)

const fileOf = Effect.fnUntraced(function* (name: string) {
  const path = yield* Path.Path
  if (isName(name)) return path.join(yield* ownFolder, "profiles", `${name}.json`)
  return yield* new Failed({
    message: `${name} can't be the name of a profile`,
    next: "Use letters, digits, dots, hyphens and underscores."
  })
})

/** The file with the name of the profile in use. */
const currentFile = Effect.gen(function* () {
  const path = yield* Path.Path
  return path.join(yield* ownFolder, "current")
})

const textOf = Effect.fnUntraced(function* (file: string) {
  const files = yield* FileSystem.FileSystem
  return yield* Effect.orElseSucceed(files.readFileString(file), () => undefined)
})

/** Reads a stored profile; undefined if it doesn't exist or is damaged. */
export const readProfile = Effect.fnUntraced(function* (name: string) {
  const text = yield* textOf(yield* fileOf(name))
  const read = Option.flatMap(Option.fromUndefinedOr(text), Schema.decodeOption(File))
  return Option.match(read, {
    onNone: () => undefined,
    onSome: (stored): Profile => ({ ...stored, name })
  })
})

/** Every stored profile, by name. */
export const allProfiles = Effect.gen(function* () {
  const path = yield* Path.Path
  const files = yield* FileSystem.FileSystem
  const folder = path.join(yield* ownFolder, "profiles")
  const names = yield* Effect.orElseSucceed(files.readDirectory(folder), () => [])
  const found: Array<Profile> = []
  for (const name of names.toSorted()) {
    const bare = name.replace(/\.json$/, "")
    const profile = bare === name || !isName(bare) ? undefined : yield* readProfile(bare)
    if (profile !== undefined) found.push(profile)
  }
  return found
})

const encode = Schema.encodeSync(File)

/** Creates the folder; returns a writer for the profile's file, which only its owner can read. */
export const profileWriter = Effect.fnUntraced(function* (name: string) {
  const path = yield* Path.Path
  const files = yield* FileSystem.FileSystem
  const file = yield* fileOf(name)
  const failed = (cause: unknown) =>
    new Failed({
      message: `Couldn't write ${file}: ${cause instanceof Error ? cause.message : String(cause)}`,
      next: "Choose another folder with NACRE_CONFIG_DIR."
    })
  const make = files.makeDirectory(path.dirname(file), { recursive: true, mode: 0o700 })
  yield* Effect.mapError(make, failed)
  return (profile: typeof Stored.Type) =>
    Effect.try({ try: () => writePrivate(file, `${encode(profile)}\n`), catch: failed })
})

/** Removes a profile. */
export const removeProfile = Effect.fnUntraced(function* (name: string) {
  const files = yield* FileSystem.FileSystem
  yield* Effect.ignore(files.remove(yield* fileOf(name)))
  if ((yield* currentName) === name) yield* Effect.ignore(files.remove(yield* currentFile))
})

/** The name of the profile in use. */
export const currentName = Effect.gen(function* () {
  const name = (yield* textOf(yield* currentFile))?.trim()
  return name === undefined || !isName(name) ? undefined : name
})

/** Switches to a stored profile. */
export const useProfile = Effect.fnUntraced(function* (name: string) {
  const file = yield* currentFile
  yield* Effect.try({
    try: () => writePrivate(file, `${name}\n`),
    catch: () => new Failed({ message: `Couldn't write ${file}` })
  })
})

/** The name that `--profile` or NACRE_PROFILE gives. */
export const chosenName = Effect.gen(function* () {
  return Option.getOrUndefined(yield* ProfileFlag) ?? (yield* variable("NACRE_PROFILE"))
})

/** The profile that `--profile` or NACRE_PROFILE names. */
export const chosenProfile = Effect.gen(function* () {
  const name = yield* chosenName
  if (name === undefined) return undefined
  const profile = yield* readProfile(name)
  if (profile !== undefined) return profile
  return yield* new Failed({
    message: `There is no profile ${name}`,
    next: `List your profiles: ${nacre} profiles. Sign in: ${nacre} login --profile ${name}`
  })
})

/** The profile in use, if it is stored. */
export const currentProfile = Effect.gen(function* () {
  const name = yield* currentName
  return name === undefined ? undefined : yield* readProfile(name)
})

/** The profiles of a server: the chosen one, the one in use, then all others. */
export const profilesAt = Effect.fnUntraced(function* (server: string) {
  const first = [yield* chosenProfile, yield* currentProfile]
  const all = [...first.filter((one) => one !== undefined), ...(yield* allProfiles)]
  const names = new Set<string>()
  return all.filter((one) => {
    const isNew = one.server === server && !names.has(one.name)
    names.add(one.name)
    return isNew
  })
})

/** The stored session of an account at a server. */
export const ownerProfile = Effect.fnUntraced(function* (server: string, account: string) {
  const there = yield* profilesAt(server)
  return there.filter(isOwner).find(({ did, handle }) => did === account || handle === account)
})

/** The profile of the operator who acts for the administrator at a server. */
export const operatorProfile = Effect.fnUntraced(function* (server: string) {
  const there = yield* profilesAt(server)
  return there.filter(isOwner).find(({ operator }) => operator === true)
})

/** The stored password of a server's administrator. */
export const storedAdminPassword = Effect.fnUntraced(function* (server: string) {
  const found = (yield* profilesAt(server)).find((one) => !isOwner(one))
  return found === undefined || isOwner(found) ? undefined : found.adminPassword
})
