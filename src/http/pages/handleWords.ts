/** What a name under one of the server's domains is made of. */
export const nameRule = "3 to 18 letters from a to z, digits and hyphens."

/** Why a name under one of the server's domains is none. */
export const noName = `That name cannot be a handle here. A name has ${nameRule}`
