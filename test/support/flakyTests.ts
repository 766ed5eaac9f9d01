import type { Reporter, TestCase } from "vitest/node"

/** Names each test that passed only when it was repeated: a fault of the test, to be mended. */
export default class FlakyTests implements Reporter {
  private readonly names: Array<string> = []

  onTestCaseResult(test: TestCase): void {
    if (test.diagnostic()?.flaky === true) {
      this.names.push(`${test.module.relativeModuleId}: ${test.fullName}`)
    }
  }

  onTestRunEnd(): void {
    for (const name of this.names) console.log(`passed only when repeated: ${name}`)
  }
}
