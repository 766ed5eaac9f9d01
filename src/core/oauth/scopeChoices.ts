import type { PermissionGroup } from "./plainWords.ts"
import { readScopeValue } from "./scopes.ts"

/** Permissions that a user can only allow or leave out together. */
export interface ScopeChoice {
  readonly groups: ReadonlyArray<PermissionGroup>
  readonly scopes: ReadonlyArray<string>
  /** False for what an app can't do without: its user's identity, and the transitional scopes. */
  readonly isOptional: boolean
}

const isOptional = (value: string): boolean => typeof readScopeValue(value) === "object"

/** The choices of a consent page: groups that share a scope value are one choice. */
export const choicesOf = (groups: ReadonlyArray<PermissionGroup>): ReadonlyArray<ScopeChoice> => {
  let choices: ReadonlyArray<Omit<ScopeChoice, "isOptional">> = []
  for (const group of groups) {
    const shares = ({ scopes }: Pick<ScopeChoice, "scopes">) =>
      scopes.some((scope) => group.scopes.includes(scope))
    const [first, ...more] = choices.filter(shares)
    const joined = [...(first === undefined ? [] : [first]), ...more]
    const choice = {
      groups: [...joined.flatMap((one) => one.groups), group],
      scopes: [...new Set([...joined.flatMap((one) => one.scopes), ...group.scopes])]
    }
    choices =
      first === undefined
        ? [...choices, choice]
        : choices.flatMap((one) => (one === first ? [choice] : more.includes(one) ? [] : [one]))
  }
  return choices.map((choice) => ({ ...choice, isOptional: choice.scopes.every(isOptional) }))
}

/** The part of a requested scope that its user allows: what must be, and what they chose. */
export const allowedOf = (scope: string, chosen: ReadonlySet<string>): string =>
  scope
    .split(" ")
    .filter((value) => !isOptional(value) || chosen.has(value))
    .join(" ")

/** A consent as it is remembered: the allowed values, and those left out with a minus. */
export const rememberedConsent = (scope: string, allowed: string): string => {
  const granted = new Set(allowed.split(" "))
  return scope
    .split(" ")
    .map((value) => (granted.has(value) ? value : `-${value}`))
    .join(" ")
}

/** The values that a remembered consent leaves out. */
export const leftOutOf = (consented: string | undefined): ReadonlySet<string> =>
  new Set(
    (consented ?? "")
      .split(" ")
      .filter((value) => value.startsWith("-"))
      .map((value) => value.slice(1))
  )
