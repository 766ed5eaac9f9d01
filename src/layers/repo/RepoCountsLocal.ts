import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { BlobIndex } from "../../services/blobs/BlobIndex.ts"
import { Repo } from "../../services/repo/Repo.ts"
import { RepoCounts } from "../../services/repo/RepoCounts.ts"

/** Reads the counts that the head row and the blob index keep. */
export const layer = Layer.effect(
  RepoCounts,
  Effect.gen(function* () {
    const repo = yield* Repo
    const blobs = yield* BlobIndex
    return RepoCounts.of({
      // The caller is a session of this account, so the account exists.
      get: Effect.map(Effect.orDie(repo.head), (head) => {
        const { expected, imported } = blobs.counts()
        return {
          commit: head.commit.toString(),
          rev: head.rev,
          blocks: 1 + head.nodes + head.records,
          records: head.records,
          privateStateValues: 0,
          expectedBlobs: expected,
          importedBlobs: imported
        }
      })
    })
  })
)
