import { nacre } from "../../../scripts/project.ts"
import type { Found } from "./lookup.ts"

/** A check, its result, and the fix if it failed. */
export interface Check {
  readonly name: string
  readonly ok: boolean
  readonly detail: string
  readonly fix?: string
}

/** How a domain's owner points the domain to a DID. */
const setUp = (handle: string, did: string): string =>
  `Add the DNS record  _atproto.${handle}  TXT  "did=${did}"\n` +
  `or the file  https://${handle}/.well-known/atproto-did  containing  ${did}`

const handleLeads = ({ handle, did, isHosted, leads }: Found): Check => {
  const name = "handle points to DID"
  if (handle === undefined) {
    return {
      name,
      ok: false,
      detail: "the DID document lists no handle",
      fix: `Set one: ${nacre} account handle <handle> --account <DID>`
    }
  }
  if ((leads.dns?.length ?? 0) > 1) {
    return {
      name,
      ok: false,
      detail: `_atproto.${handle} has ${leads.dns?.length} TXT records: ${leads.dns?.join(", ")}`,
      fix: "Keep only the right one."
    }
  }
  const target = leads.dns?.[0] ?? leads.file ?? leads.server
  if (target === undefined) {
    return {
      name,
      ok: false,
      detail: `${handle} points to no account`,
      fix: isHosted
        ? `No account on this server has this handle. List them: ${nacre} account list`
        : setUp(handle, did ?? "<the account's DID>")
    }
  }
  if (target !== did) {
    return {
      name,
      ok: false,
      detail: `${handle} points to ${target}`,
      fix: setUp(handle, did ?? "<the account's DID>")
    }
  }
  const way =
    leads.dns !== undefined && leads.dns.length === 1 ? "through DNS" : "through its web server"
  return {
    name,
    ok: true,
    detail: `${handle} points to ${did} ${isHosted ? "through this server" : way}`
  }
}

const didLeads = ({ handle, did, claimed }: Found): Check => {
  const name = "DID lists handle"
  if (claimed !== undefined && claimed === handle) {
    return { name, ok: true, detail: `${did} lists ${claimed}` }
  }
  return {
    name,
    ok: false,
    detail: claimed === undefined ? `${did} lists no handle` : `${did} lists ${claimed}`,
    fix: `Set the account's handle: ${nacre} account handle ${handle} --account ${did}`
  }
}

const hasServer = ({ did, pds }: Found, server: string): Check => ({
  name: "server",
  ok: pds !== undefined,
  detail:
    pds === undefined
      ? `${did} lists no server`
      : pds.replace(/\/$/, "") === server
        ? `${pds} (this server)`
        : `${pds} (not ${server})`,
  ...(pds === undefined ? { fix: "Add the service #atproto_pds to the DID document." } : {})
})

const hasKey = ({ did, signingKey }: Found): Check => ({
  name: "signing key",
  ok: signingKey !== undefined,
  detail: signingKey ?? `${did} lists no key`,
  ...(signingKey === undefined
    ? { fix: "Add the verification method #atproto to the DID document." }
    : {})
})

/** The checks of an identity: the network finds the account and accepts its records. */
export const checksOf = (found: Found, server: string): ReadonlyArray<Check> => {
  if (found.did === undefined) return [handleLeads(found)]
  return [handleLeads(found), didLeads(found), hasServer(found, server), hasKey(found)]
}
