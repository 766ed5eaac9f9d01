import type { Settings } from "../../services/host/Config.ts"

const year = 365 * 86_400

/**
 * The name of the device's cookie. `__Host-` prevents other hosts of the same domain from planting
 * one; browsers accept it only over https, so a local server doesn't use it.
 */
const nameOf = ({ publicUrl }: Settings, name: string) =>
  publicUrl.startsWith("https:") ? `__Host-nacre-${name}` : `nacre-${name}`

const cookieOf = (request: Request, name: string): string | undefined => {
  const found = (request.headers.get("cookie") ?? "").split(";").flatMap((part) => {
    const at = part.indexOf("=")
    return part.slice(0, at).trim() === name ? [part.slice(at + 1).trim()] : []
  })
  return found.length === 1 ? found[0] : undefined
}

const kept = (name: string, value: string, config: Settings, seconds: number): string =>
  `${nameOf(config, name)}=${value}; Path=/; HttpOnly; SameSite=Lax; Max-Age=${seconds}${
    config.publicUrl.startsWith("https:") ? "; Secure" : ""
  }`

/** The device's cookie of a request; undefined if there isn't exactly one. */
export const deviceCookie = (request: Request, config: Settings): string | undefined =>
  cookieOf(request, nameOf(config, "device"))

/** The `Set-Cookie` that keeps a device's cookie for a year. */
export const keepDevice = (value: string, config: Settings): string =>
  kept("device", value, config, year)

/** The sign-in at another server that has begun in this browser, sealed. */
export const moveCookie = (request: Request, config: Settings): string | undefined =>
  cookieOf(request, nameOf(config, "move"))

/** The `Set-Cookie` that keeps it for these seconds. */
export const keepMove = (value: string, config: Settings, seconds: number): string =>
  kept("move", value, config, seconds)
