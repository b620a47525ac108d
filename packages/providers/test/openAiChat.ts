/** What the conformance suite asks, as OpenAI's chat completions have it, and whoever speaks like them. */
import * as Conformance from "@spillway/testing/Conformance"
import * as RecordedHttp from "@spillway/testing/RecordedHttp"

/** JSON that was sent there, with the suite's key. */
export const posted = (path: string, body: object): Conformance.Sent => ({
  method: "POST",
  path,
  headers: { authorization: `Bearer ${Conformance.key}` },
  body
})

/** The suite's tool. */
export const weather = {
  type: "function",
  function: {
    name: "get_weather",
    description: "The weather in a city, now",
    parameters: Conformance.weather.parameters
  }
}

/** The messages of the suite's requests. */
export const messages = {
  chat: [{ role: "system", content: "Be brief." }, { role: "user", content: "Say hello." }],
  /** Not every wire has room for what was said beside the call. */
  toolRoundTrip: (beside: string | null = "Let me look.") => [
    { role: "user", content: "How is the weather in Oslo?" },
    {
      role: "assistant",
      content: beside,
      tool_calls: [{
        id: "call_1",
        type: "function",
        function: { name: "get_weather", arguments: "{\"city\":\"Oslo\"}" }
      }]
    },
    { role: "tool", tool_call_id: "call_1", content: "{\"sky\":\"clear\"}" }
  ],
  image: [{
    role: "user",
    content: [
      { type: "text", text: "What is this?" },
      { type: "image_url", image_url: { url: `data:image/png;base64,${Conformance.picture}` } }
    ]
  }]
}

/** An event stream without names; what is no text is sent as JSON. */
export const sse = (...events: ReadonlyArray<object | string>) =>
  RecordedHttp.text(
    "text/event-stream; charset=utf-8",
    events.map((event) => `data: ${typeof event === "string" ? event : JSON.stringify(event)}\n\n`).join("")
  )
