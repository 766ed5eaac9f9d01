import * as Effect from "effect/Effect"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { nacre } from "../../../scripts/project.ts"
import { Failed } from "../failure.ts"
import { moment, note, report, table } from "../output.ts"
import {
  allProfiles,
  chosenProfile,
  currentName,
  currentProfile,
  isOwner,
  type Profile,
  readProfile,
  removeProfile,
  useProfile
} from "./profiles.ts"
import { renewing } from "./tokens.ts"

const who = (profile: Profile): string => (isOwner(profile) ? profile.handle : "administrator")

/** Ends a profile's session at its server, and forgets the profile. */
const forget = Effect.fnUntraced(function* (profile: Profile) {
  if (isOwner(profile)) {
    const { endOrFail } = yield* renewing(profile.server, profile)
    yield* Effect.catch(endOrFail, () =>
      note(
        `Couldn't end the session at ${profile.server}. If it's still listed under Devices on your account's page, sign it out there.`
      )
    )
  }
  yield* removeProfile(profile.name)
})

/** `nacre logout` */
export const logout = Command.make(
  "logout",
  {
    all: Flag.Boolean("all").pipe(
      Flag.withDescription("Sign out of every profile"),
      Flag.withDefault(false)
    )
  },
  Effect.fnUntraced(function* ({ all }) {
    const one = all ? undefined : ((yield* chosenProfile) ?? (yield* currentProfile))
    const leaving = all ? yield* allProfiles : one === undefined ? [] : [one]
    if (leaving.length === 0) {
      return yield* new Failed({
        message: "You aren't signed in",
        next: `List your profiles: ${nacre} profiles`
      })
    }
    for (const profile of leaving) yield* forget(profile)
    yield* report({ signedOut: leaving.map(({ name }) => name) }, () =>
      leaving.map((profile) => `Signed out of ${profile.server} (${who(profile)}).`).join("\n")
    )
    const [left] = yield* allProfiles
    if (left !== undefined && (yield* currentName) === undefined) {
      yield* note(`Choose another profile: ${nacre} profiles use ${left.name}`)
    }
  })
).pipe(Command.withDescription("Sign out of the profile in use, or the one that --profile names"))

const use = Command.make(
  "use",
  {
    name: Argument.String("name").pipe(Argument.withDescription("The profile's name"))
  },
  Effect.fnUntraced(function* ({ name }) {
    const profile = yield* readProfile(name)
    if (profile === undefined) {
      return yield* new Failed({
        message: `There is no profile ${name}`,
        next: `List your profiles: ${nacre} profiles`
      })
    }
    yield* useProfile(name)
    const { server } = profile
    yield* report({ profile: name, server }, () => `Commands now use ${server} (${who(profile)}).`)
  })
).pipe(Command.withDescription("Choose the profile that commands use"))

/** `nacre profiles` */
export const profiles = Command.make(
  "profiles",
  {},
  Effect.fnUntraced(function* () {
    const current = yield* currentName
    const all = yield* allProfiles
    const shown = all.map((profile) => ({
      name: profile.name,
      server: profile.server,
      account: who(profile),
      signedInAt: new Date(profile.signedInAt).toISOString(),
      inUse: profile.name === current
    }))
    yield* report({ profiles: shown }, () =>
      table(
        ["PROFILE", "SERVER", "ACCOUNT", "SIGNED IN", ""],
        all.map((profile) => [
          profile.name,
          profile.server,
          who(profile),
          moment(profile.signedInAt),
          profile.name === current ? "in use" : ""
        ]),
        `You aren't signed in anywhere. Sign in: ${nacre} login`
      )
    )
  })
).pipe(
  Command.withDescription("List the servers and accounts that you are signed in to"),
  Command.withSubcommands([use])
)
