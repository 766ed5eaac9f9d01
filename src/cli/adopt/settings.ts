import { newSecret } from "../../../scripts/env.ts"

type Variables = Readonly<Record<string, string | undefined>>

const isOn = (text: string | undefined): boolean => text === "true" || text === "1"

/** A service's reference: its DID with the fragment, and its origin. */
const serviceOf = (did: string | undefined, url: string | undefined, fragment: string) =>
  did === undefined || url === undefined ? undefined : `${did}#${fragment} ${new URL(url).origin}`

const listOf = (text: string | undefined): string | undefined =>
  text
    ?.split(",")
    .map((one) => one.trim())
    .filter((one) => one !== "")
    .join(",") || undefined

/** The settings of this server that mean the same as a reference PDS's variables. */
const sameSettings = (old: Variables): Variables => {
  const hostname = old["PDS_HOSTNAME"] ?? "localhost"
  const isLocal = hostname === "localhost"
  const serviceDid = old["PDS_SERVICE_DID"]
  return {
    PUBLIC_URL: isLocal ? `http://localhost:${old["PDS_PORT"] ?? "2583"}` : `https://${hostname}`,
    SERVICE_DID: serviceDid === undefined ? `did:web:${hostname}` : serviceDid,
    HANDLE_DOMAINS:
      listOf(old["PDS_SERVICE_HANDLE_DOMAINS"]) ?? (isLocal ? ".test" : `.${hostname}`),
    PLC_URL: old["PDS_DID_PLC_URL"],
    INVITE_REQUIRED:
      old["PDS_INVITE_REQUIRED"] === undefined || isOn(old["PDS_INVITE_REQUIRED"]) ? "on" : "off",
    RELAYS: listOf(old["PDS_CRAWLERS"]),
    APP_VIEW: serviceOf(old["PDS_BSKY_APP_VIEW_DID"], old["PDS_BSKY_APP_VIEW_URL"], "bsky_appview"),
    MOD_SERVICE: serviceOf(
      old["PDS_MOD_SERVICE_DID"],
      old["PDS_MOD_SERVICE_URL"],
      "atproto_labeler"
    ),
    REPORT_SERVICE: serviceOf(
      old["PDS_REPORT_SERVICE_DID"],
      old["PDS_REPORT_SERVICE_URL"],
      "atproto_labeler"
    ),
    BLOB_LIMIT: old["PDS_BLOB_UPLOAD_LIMIT"],
    PRIVACY_POLICY_URL: old["PDS_PRIVACY_POLICY_URL"],
    TERMS_OF_SERVICE_URL: old["PDS_TERMS_OF_SERVICE_URL"],
    CONTACT_EMAIL: old["PDS_CONTACT_EMAIL_ADDRESS"],
    BRAND_NAME: old["PDS_SERVICE_NAME"],
    RATE_LIMITS: isOn(old["PDS_RATE_LIMITS_ENABLED"]) ? "on" : undefined,
    RATE_LIMIT_BYPASS_KEY: old["PDS_RATE_LIMIT_BYPASS_KEY"]
  }
}

/** The shortest password of an administrator. */
const shortest = 16

/**
 * The variables of a server that takes the place of a reference PDS. Those that the new folder has
 * already win, except for what identifies the server.
 */
export const settingsAfter = (
  old: Variables,
  known: Readonly<Record<string, string>>
): Readonly<Record<string, string>> => {
  const admin = old["PDS_ADMIN_PASSWORD"] ?? ""
  const { PUBLIC_URL, SERVICE_DID, ...others } = sameSettings(old)
  const all: Variables = {
    ...others,
    MASTER_KEY: newSecret("MASTER_KEY"),
    ADMIN_PASSWORD: admin.length >= shortest ? admin : newSecret("ADMIN_PASSWORD"),
    TRUSTED_PROXIES: "loopback",
    ...known,
    PUBLIC_URL,
    SERVICE_DID,
    PLC_ROTATION_KEY: old["PDS_PLC_ROTATION_KEY_K256_PRIVATE_KEY_HEX"]
  }
  return Object.fromEntries(
    Object.entries(all).flatMap(([name, value]): Array<[string, string]> =>
      value === undefined || value === "" ? [] : [[name, value]]
    )
  )
}

/** Settings that differ from the old server's, in words. */
export const settingsLeft = (old: Variables): ReadonlyArray<string> => [
  ...((old["PDS_ADMIN_PASSWORD"] ?? "").length < shortest
    ? ["The administrator's password was too short: ADMIN_PASSWORD is a new one."]
    : []),
  ...(old["PDS_RECOVERY_DID_KEY"] === undefined
    ? []
    : [
        "PDS_RECOVERY_DID_KEY has no counterpart: each new account can have a recovery key of its own."
      ])
]
