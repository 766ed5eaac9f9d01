/**
 * The Worker's configuration, and a local server's secrets in `.dev.vars`.
 */
import { createECDH, createHash, randomBytes, randomInt } from "node:crypto"
import { chmodSync, existsSync, readFileSync, renameSync, writeFileSync } from "node:fs"

/** Every variable that is passed to the Worker as a binding. */
export { variableNames as configurationNames } from "../src/core/host/variables.ts"

const alphabet = "abcdefghjkmnpqrstuvwxyz23456789"

/** A random password that is easy to read aloud: four groups of five, 99 bits. */
export const readablePassword = (): string =>
  Array.from({ length: 4 }, () =>
    Array.from({ length: 5 }, () => alphabet[randomInt(alphabet.length)]).join("")
  ).join("-")

/** A private key for PLC rotation, as hex. */
const privateKey = (): string => {
  const ecdh = createECDH("secp256k1")
  ecdh.generateKeys()
  return ecdh.getPrivateKey("hex").padStart(64, "0")
}

const makers = {
  MASTER_KEY: () => randomBytes(32).toString("base64url"),
  PLC_ROTATION_KEY: privateKey,
  ADMIN_PASSWORD: readablePassword
}

/** A new value of a secret. */
export const newSecret = (name: keyof typeof makers): string => makers[name]()

const assignment = /^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*?)\s*$/

/** The numbers of lines that are neither `NAME=value` nor a comment. */
export const strayLines = (text: string): ReadonlyArray<number> =>
  text
    .split(/\r?\n/)
    .flatMap((line, at) => (/^\s*(#|$)/.test(line) || assignment.test(line) ? [] : [at + 1]))

/** Reads `NAME=value` lines; values may be quoted, `#` starts a comment line. */
export function parseVars(text: string): Record<string, string> {
  const vars: Record<string, string> = {}
  for (const line of text.split(/\r?\n/)) {
    const match = assignment.exec(line)
    if (match === null) continue
    const [, name = "", raw = ""] = match
    const quoted = /^(["'`])([\s\S]*)\1$/.exec(raw)
    vars[name] = quoted?.[2] ?? raw
  }
  return vars
}

/**
 * A fingerprint of a master key, which reveals nothing about it; stored with the data that the
 * key protects.
 *
 * Undefined for a missing key.
 */
export const fingerprint = (masterKey: string | undefined): string | undefined =>
  masterKey
    ? createHash("sha256").update(`nacre/fingerprint/${masterKey}`).digest("hex").slice(0, 16)
    : undefined

/** Whether an address is on this machine. */
export const isLocalAddress = (url: string): boolean =>
  URL.canParse(url) && ["localhost", "127.0.0.1", "[::1]"].includes(new URL(url).hostname)

/**
 * The variables of a `.dev.vars` file; creates missing secrets and changes no others.
 *
 * Only its owner can read the file, and it is replaced atomically.
 */
export function loadSecrets(path: string): {
  readonly vars: Record<string, string>
  readonly added: ReadonlyArray<string>
} {
  const before = existsSync(path) ? readFileSync(path, "utf8") : ""
  const vars = parseVars(before)
  const added = Object.entries(makers)
    .filter(([name]) => (vars[name] ?? "") === "")
    .map(([name, make]) => [name, make()] as const)
  if (added.length > 0) {
    const names = new Set(added.map(([name]) => name))
    const kept = before
      .split("\n")
      .filter((line) => !names.has(/^\s*([A-Za-z_]\w*)\s*=/.exec(line)?.[1] ?? ""))
      .join("\n")
    const head = kept === "" || kept.endsWith("\n") ? kept : `${kept}\n`
    writePrivate(path, head + added.map(([name, value]) => `${name}=${value}\n`).join(""))
  } else {
    chmodSync(path, 0o600)
  }
  return { vars: { ...vars, ...Object.fromEntries(added) }, added: added.map(([name]) => name) }
}

/** Atomically writes a file that only its owner can read. */
export function writePrivate(path: string, text: string): void {
  const temporary = `${path}.new`
  writeFileSync(temporary, text, { mode: 0o600 })
  chmodSync(temporary, 0o600)
  renameSync(temporary, path)
}
