import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"

type Packages = Readonly<
  Record<string, { readonly integrity?: string; readonly optional?: boolean }>
>

const packagesOf = (file: string): Packages =>
  existsSync(file) ? JSON.parse(readFileSync(file, "utf8")).packages : {}

/** Whether a folder has every package that its lock file names, in that version; except optional ones. */
export const hasPackages = (folder: string): boolean => {
  const installed = packagesOf(join(folder, "node_modules/.package-lock.json"))
  return Object.entries(packagesOf(join(folder, "package-lock.json"))).every(
    ([place, { integrity, optional }]) =>
      place === "" ||
      optional === true ||
      (place in installed && installed[place]?.integrity === integrity)
  )
}
