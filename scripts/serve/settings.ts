import { existsSync, readFileSync } from "node:fs"
import { join, resolve } from "node:path"
import { parseArgs } from "node:util"
import { type LogFormat } from "../devLog.ts"
import { variables } from "../../src/core/host/variables.ts"
import { configurationNames } from "../env.ts"
import { formatOf, portOf, varsOf } from "../start/checks.ts"
import { messageOf, Refused } from "../start/failures.ts"

/** The help of `nacre serve`. */
export const help = `nacre serve: runs a server on one machine, with everything in a folder.

  --data <folder>    the data folder (DATA_DIR); default: ./data
  --port <number>    the port to listen on (PORT); default: 8787
  --host <address>   the address to listen on (HOST); default: 127.0.0.1, for a proxy on this machine
  --env <file>       a file of NAME=value lines; default: nacre.env in the data folder, if there is one
  --help

Variables beside those of the server's configuration:

  BACKUP_DIR         a folder for nightly backups, best on another disk; or set BACKUP_S3_URL
  TRUSTED_PROXIES    the proxies whose X-Forwarded-For counts: addresses, networks such as 10.0.0.0/8,
                     and loopback, separated by commas; default: none
  MAX_OPEN_ACCOUNTS  account databases that stay open; default: 500
  SHARED_SYNC        on for slow disks: posts that are written at the same time wait for one sync
                     together, before their responses; default: off, each is synced alone
  LOG_FORMAT         pretty or json; default: pretty on a terminal, json where the output is piped

A variable of the environment wins over the same one in the file. A secret can also be in a file of
its own: MASTER_KEY_FILE=/run/secrets/master_key, or a systemd credential named MASTER_KEY.

nacre init --target box makes the secrets and the file.`

/** What `nacre serve` needs to know, apart from the server's configuration. */
export interface ServeSettings {
  readonly folder: string
  /** The file of the settings, which may be missing. */
  readonly file: string
  readonly port: number
  readonly host: string
  readonly backupFolder: string | undefined
  readonly trustedProxies: string
  readonly mostOpen: number
  readonly sharesSyncs: boolean
  readonly logFormat: LogFormat
  /** The server's configuration. */
  readonly env: Readonly<Record<string, string>>
}

/** The secrets of the configuration, which may be in files. */
const secretNames = Object.entries(variables)
  .filter(([, variable]) => "secret" in variable)
  .map(([name]) => name)

/** A secret's file, if one is named: by `<NAME>_FILE`, or in systemd's folder of credentials. */
const fileOfSecret = (name: string, known: Readonly<Record<string, string | undefined>>) => {
  const named = known[`${name}_FILE`]
  if (named) return named
  const folder = process.env["CREDENTIALS_DIRECTORY"]
  const credential = folder === undefined ? undefined : join(folder, name)
  return credential !== undefined && existsSync(credential) ? credential : undefined
}

const secretsOf = (known: Readonly<Record<string, string | undefined>>) =>
  Object.fromEntries(
    secretNames.flatMap((name): Array<[string, string]> => {
      const file = fileOfSecret(name, known)
      if (file === undefined || known[name]) return []
      try {
        return [[name, readFileSync(file, "utf8").trim()]]
      } catch (cause) {
        throw new Refused(`Couldn't read ${name} from its file: ${messageOf(cause)}`)
      }
    })
  )

/** A whole number of accounts, 1 or more. */
const mostOf = (text: string): number => {
  const most = Number(text)
  if (Number.isInteger(most) && most > 0) return most
  throw new Refused(`MAX_OPEN_ACCOUNTS must be a whole number above 0, not "${text}".`)
}

/** A switch, off where it isn't set. */
const isOn = (name: string, text: string | undefined): boolean => {
  if (!text || text === "off") return false
  if (text === "on") return true
  throw new Refused(`${name} must be on or off, not "${text}".`)
}

/** Reads the arguments, the file and the environment; undefined if only the help was asked for. */
export const readSettings = (args: ReadonlyArray<string>): ServeSettings | undefined => {
  const { values } = parseArgs({
    args: [...args],
    options: {
      data: { type: "string" },
      port: { type: "string" },
      host: { type: "string" },
      env: { type: "string" },
      help: { type: "boolean", short: "h", default: false }
    }
  })
  if (values.help) return undefined
  const folder = resolve(values.data ?? (process.env["DATA_DIR"] || "data"))
  const file = values.env ?? join(folder, "nacre.env")
  if (values.env !== undefined && !existsSync(file)) throw new Refused(`There is no file ${file}.`)
  const known: Readonly<Record<string, string | undefined>> = { ...varsOf(file), ...process.env }
  const env = Object.fromEntries(
    configurationNames.flatMap((name): Array<[string, string]> => {
      const value = known[name]
      return value ? [[name, value]] : []
    })
  )
  const backups = known["BACKUP_DIR"]
  return {
    folder,
    file,
    port: portOf(values.port ?? (known["PORT"] || "8787")),
    host: values.host ?? (known["HOST"] || "127.0.0.1"),
    backupFolder: backups ? resolve(backups) : undefined,
    trustedProxies: known["TRUSTED_PROXIES"] ?? "",
    mostOpen: mostOf(known["MAX_OPEN_ACCOUNTS"] || "500"),
    sharesSyncs: isOn("SHARED_SYNC", known["SHARED_SYNC"]),
    logFormat: formatOf(known["LOG_FORMAT"]),
    env: { ...env, ...secretsOf(known) }
  }
}
