/** Whether a body is complete before anybody reads it. */
const isComplete = (response: Response): boolean =>
  response.body === null || response.headers.get("content-type")?.includes("json") === true

/**
 * The response with a body that calls `end` once, when it was read, cancelled or has failed;
 * undefined if its body needs nothing any more.
 */
export const untilRead = (response: Response, end: () => void): Response | undefined => {
  if (isComplete(response) || response.body === null) return undefined
  const reader: ReadableStreamDefaultReader<Uint8Array> = response.body.getReader()
  const body = new ReadableStream<Uint8Array>(
    {
      pull: async (controller) => {
        try {
          const { done, value } = await reader.read()
          if (!done) return controller.enqueue(value)
          end()
          controller.close()
        } catch (error) {
          end()
          controller.error(error)
        }
      },
      cancel: (reason) => {
        end()
        return reader.cancel(reason)
      }
    },
    { highWaterMark: 0 }
  )
  return new Response(body, response)
}
