import type { Found } from "./lookup.ts"

/** One thing that must be so, whether it is, and what to do where it is not. */
export interface Check {
  readonly name: string
  readonly ok: boolean
  readonly detail: string
  readonly fix?: string
}

/** What the owner of a domain sets up so that its name leads to a DID. */
const setUp = (handle: string, did: string): string =>
  `Either the DNS record  _atproto.${handle}  TXT  "did=${did}"\n` +
  `or the file  https://${handle}/.well-known/atproto-did  with the text  ${did}`

const handleLeads = ({ handle, did, isHosted, leads }: Found): Check => {
  const name = "handle leads to DID"
  if (handle === undefined) {
    return {
      name,
      ok: false,
      detail: "the DID's document names no handle",
      fix: "Give the account one: nacre account handle <handle> --account <DID>"
    }
  }
  if ((leads.dns?.length ?? 0) > 1) {
    return {
      name,
      ok: false,
      detail: `there are ${leads.dns?.length} TXT records _atproto.${handle}: ${leads.dns?.join(", ")}`,
      fix: "Leave one of them, and remove the others."
    }
  }
  const target = leads.dns?.[0] ?? leads.file ?? leads.server
  if (target === undefined) {
    return {
      name,
      ok: false,
      detail: `${handle} leads nowhere`,
      fix: isHosted
        ? "No account of this server has it. See: nacre account list"
        : setUp(handle, did ?? "<the account's DID>")
    }
  }
  if (target !== did) {
    return {
      name,
      ok: false,
      detail: `${handle} leads to ${target}`,
      fix: setUp(handle, did ?? "<the account's DID>")
    }
  }
  const way = leads.dns !== undefined && leads.dns.length === 1 ? "by DNS" : "by its host"
  return {
    name,
    ok: true,
    detail: `${handle} leads to ${did} ${isHosted ? "by this server" : way}`
  }
}

const didLeads = ({ handle, did, claimed }: Found): Check => {
  const name = "DID leads to handle"
  if (claimed !== undefined && claimed === handle) {
    return { name, ok: true, detail: `${did} names ${claimed}` }
  }
  return {
    name,
    ok: false,
    detail: claimed === undefined ? `${did} names no handle` : `${did} names ${claimed}`,
    fix: `Have the account take the handle: nacre account handle ${handle} --account ${did}`
  }
}

const hasServer = ({ did, pds }: Found, server: string): Check => ({
  name: "server",
  ok: pds !== undefined,
  detail:
    pds === undefined
      ? `${did} names no server`
      : pds.replace(/\/$/, "") === server
        ? `${pds}, which is this server`
        : `${pds}, which is another server than ${server}`,
  ...(pds === undefined ? { fix: "The document needs the service #atproto_pds." } : {})
})

const hasKey = ({ did, signingKey }: Found): Check => ({
  name: "signing key",
  ok: signingKey !== undefined,
  detail: signingKey ?? `${did} names no key`,
  ...(signingKey === undefined
    ? { fix: "The document needs the verification method #atproto." }
    : {})
})

/** Everything that must hold for somebody to be found, and for the records to be believed. */
export const checksOf = (found: Found, server: string): ReadonlyArray<Check> => {
  if (found.did === undefined) return [handleLeads(found)]
  return [handleLeads(found), didLeads(found), hasServer(found, server), hasKey(found)]
}
