import { nacre } from "../../../scripts/project.ts"
import type { AdoptionReport, ReportedAccount } from "../../core/accounts/adoption.ts"
import { facts } from "../output.ts"

const sum = (numbers: ReadonlyArray<number>): number => numbers.reduce((all, one) => all + one, 0)

const section = (title: string, lines: ReadonlyArray<string>): ReadonlyArray<string> =>
  lines.length === 0 ? [] : ["", title, ...lines.map((line) => `  ${line}`)]

/** What an account lost, in lines. */
const lossesOf = ({ did, handle, missingBlobs, letGo }: ReportedAccount) => [
  ...letGo.map((what) => `${handle ?? did}: ${what}`),
  ...(missingBlobs.length === 0
    ? []
    : [
        `${handle ?? did}: ${missingBlobs.length} blobs that were missing or damaged: ${missingBlobs.slice(0, 3).join(", ")}${missingBlobs.length > 3 ? " …" : ""}`
      ])
]

const nextSteps = (folder: string, isDry: boolean): ReadonlyArray<string> =>
  isDry
    ? [
        "Stop the old server: a post after the copy would be lost.",
        `Run the same command without --dry-run.`
      ]
    : [
        `Start the server: ${nacre} serve --data ${folder}`,
        "Let the proxy send the old server's name to it.",
        "Never start the old server again: a post there and a post here would contradict each other.",
        `Back up ${folder}/nacre.env somewhere else: without MASTER_KEY, no account can post again.`
      ]

/** The report in words. */
export const wordsOf = (
  adopted: AdoptionReport & { readonly dryRun: boolean },
  folder: string
): string => {
  const { accounts, doneBefore, skipped, faults, invites, reservedKeys, dryRun } = adopted
  const count = (status: string) => accounts.filter((one) => one.status === status).length
  const what = [
    `${accounts.length} (${count("active")} active, ${count("deactivated")} deactivated, ${count("takendown")} taken down)`,
    ...(doneBefore.length === 0 ? [] : [`${doneBefore.length} done before`]),
    ...(skipped.length === 0 ? [] : [`${skipped.length} left out`])
  ]
  return [
    facts([
      [dryRun ? "Verified" : "Copied", what.join(", ")],
      ["Records", String(sum(accounts.map(({ records }) => records)))],
      ["Blobs", String(sum(accounts.map(({ blobs }) => blobs)))],
      [
        "Sign-ins",
        `${sum(accounts.map(({ sessions }) => sessions))} sessions, ${sum(accounts.map(({ apps }) => apps))} connected apps, ${sum(accounts.map(({ consents }) => consents))} remembered permissions, ${sum(accounts.map(({ appPasswords }) => appPasswords))} app passwords`
      ],
      ["Invites", String(invites)],
      ["Reserved keys", String(reservedKeys)]
    ]),
    ...section("Not taken over:", [...adopted.letGo, ...accounts.flatMap(lossesOf)]),
    ...section(
      "Can't be adopted:",
      faults.map(({ did, handle, problem }) => `${handle ?? did} (${did}): ${problem}`)
    ),
    ...(faults.length > 0 ? [] : section("Next:", nextSteps(folder, dryRun)))
  ].join("\n")
}
