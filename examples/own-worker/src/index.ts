import { createNacre, XrpcError } from "nacre"
import greet from "./greet.json"

const nacre = createNacre({
  config: { BRAND_NAME: "Example" },

  // Every path that isn't the server's.
  fallback: (request) => new Response(`The site of ${new URL(request.url).host}\n`),

  // XRPC methods of our own; accounts of this server may call this one.
  methods: [
    {
      lexicon: greet,
      access: { account: "standard" },
      handler: ({ params, caller }) => {
        if (params["name"] === "nobody") throw new XrpcError("NoSuchName", "Nobody has that name")
        return {
          text: `Hello ${String(params["name"])}, from ${"did" in caller ? caller.did : ""}`
        }
      }
    }
  ],

  // A real one hands the mail to a provider, and rejects when the provider does.
  mailer: ({ to, purpose }) => console.log(`mail to ${to}: ${purpose}`)
})

export class Account extends nacre.Account {}
export class Sequencer extends nacre.Sequencer {}
export class Limiter extends nacre.Limiter {}
export default { fetch: nacre.fetch, scheduled: nacre.scheduled }
