import * as Redacted from "effect/Redacted"
import { formatDidKey, publicKeyOf } from "../../core/identity/didKey.ts"
import type { Settings } from "../host/Config.ts"
import type { PrivateKey } from "./Keys.ts"

/** The host's own key among the rotation keys of did:plc accounts. */
export const rotationKey = ({ plcRotationKey }: Settings): PrivateKey => ({
  curve: "k256",
  didKey: formatDidKey(publicKeyOf("k256", Redacted.value(plcRotationKey))),
  secret: plcRotationKey
})
