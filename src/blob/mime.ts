/** The type of bytes that nobody can name. */
const unknownType = "application/octet-stream"

const token = "[a-z0-9!#$&^_.+-]{1,127}"
const essence = new RegExp(`^${token}/${token}$`)

/** The MIME type that a Content-Type header declares, without parameters; unknown for none, a wildcard, or nonsense. */
export const declaredType = (header: string | null): string => {
  const type = header?.split(";", 1)[0]?.trim().toLowerCase() ?? ""
  return essence.test(type) ? type : unknownType
}

/** The type a blob is stored under: what its bytes tell, else what the uploader says. */
export const storedType = (sniffed: string | undefined, declared: string): string =>
  sniffed ?? declared
