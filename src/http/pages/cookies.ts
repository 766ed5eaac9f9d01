import type { Settings } from "../../services/host/Config.ts"

const year = 365 * 86_400

/**
 * The name of the device's cookie. `__Host-` prevents other hosts of the same domain from planting
 * one; browsers accept it only over https, so a local server doesn't use it.
 */
const nameOf = ({ publicUrl }: Settings) =>
  publicUrl.startsWith("https:") ? "__Host-nacre-device" : "nacre-device"

/** The device's cookie of a request; undefined if there isn't exactly one. */
export const deviceCookie = (request: Request, config: Settings): string | undefined => {
  const name = nameOf(config)
  const found = (request.headers.get("cookie") ?? "").split(";").flatMap((part) => {
    const at = part.indexOf("=")
    return part.slice(0, at).trim() === name ? [part.slice(at + 1).trim()] : []
  })
  return found.length === 1 ? found[0] : undefined
}

/** The `Set-Cookie` that keeps a device's cookie for a year. */
export const keepDevice = (value: string, config: Settings): string =>
  `${nameOf(config)}=${value}; Path=/; HttpOnly; SameSite=Lax; Max-Age=${year}${
    config.publicUrl.startsWith("https:") ? "; Secure" : ""
  }`
