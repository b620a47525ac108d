/** Bugs in how the gateway speaks to Anthropic's and Ollama's clients that tests must notice. */
const gateway = (file) => `packages/gateway/src/${file}.ts`
const test = (...files) => files.map((file) => `packages/gateway/test/${file}.test.ts`)
const events = { file: gateway("AnthropicEvents"), tests: test("AnthropicEvents") }
const anthropicIn = { file: gateway("AnthropicInbound"), tests: test("AnthropicInbound") }
const anthropicPrompt = { file: gateway("AnthropicPrompt"), tests: test("AnthropicInbound") }
const anthropicOut = { file: gateway("AnthropicOutbound"), tests: test("AnthropicEvents") }
const anthropicApi = { file: gateway("AnthropicApi"), tests: test("AnthropicApi") }
const anthropicFault = { file: gateway("AnthropicFault"), tests: test("AnthropicApi") }
const ollamaIn = { file: gateway("OllamaInbound"), tests: test("OllamaInbound") }
const ollamaPrompt = { file: gateway("OllamaPrompt"), tests: test("OllamaInbound") }
const ollamaOut = { file: gateway("OllamaOutbound"), tests: test("OllamaApi") }

export default [
  { ...events, name: "pieces of another call do not wait", find: "open?.kind === \"call\" && !isComplete(open.args)", replace: "false" },
  { ...events, name: "a call is closed before its arguments are complete", find: "json.trimEnd().endsWith(\"}\") && ", replace: "json === \"\" || " },
  { ...events, name: "what waited is forgotten at the end", find: "while (waiting.length > 0) {", replace: "while (waiting.length > 99) {" },
  { ...events, name: "a block keeps its number", find: "{ index: made++ }", replace: "{ index: made }" },
  { ...events, name: "thoughts run together", find: "open?.kind === \"thought\" && open.index === index", replace: "open?.kind === \"thought\"" },
  { ...events, name: "an error has the id of the message", find: "AnthropicFault.toJson(failure, exchange)", replace: "AnthropicFault.toJson(failure, envelope)" },
  { ...anthropicOut, name: "cached tokens are counted twice", find: "inputTokens - cachedInputTokens - cacheWriteTokens", replace: "inputTokens - cacheWriteTokens" },
  { ...anthropicOut, name: "a refusal is an end like any other", find: "\"content-filter\": \"refusal\"", replace: "\"content-filter\": \"end_turn\"" },
  { ...anthropicIn, name: "a budget may be all there is", find: "wire.thinking.budget_tokens >= wire.max_tokens", replace: "wire.thinking.budget_tokens > wire.max_tokens" },
  { ...anthropicIn, name: "calls in parallel are allowed where they are not", find: "parallelToolCalls: !choice.disable_parallel_tool_use", replace: "parallelToolCalls: choice.disable_parallel_tool_use" },
  { ...anthropicIn, name: "thinking that is switched off is not", find: "if (thinking?.type === \"disabled\") return { effort: \"none\" }", replace: "" },
  { ...anthropicIn, name: "marks are lost", find: "...(cacheControl !== undefined && { cacheControl })", replace: "" },
  { ...anthropicPrompt, name: "results come after what else the user says", find: "...(results.length === 0 ? [] : [Prompt.tool(results)]),\n    ...(parts.length === 0 ? [] : [Prompt.user(parts)])", replace: "...(parts.length === 0 ? [] : [Prompt.user(parts)]),\n    ...(results.length === 0 ? [] : [Prompt.tool(results)])" },
  { ...anthropicPrompt, name: "pictures of a result are lost", find: "for (const block of inner) if (block.type !== \"text\") parts.push(...toUserParts(block))", replace: "" },
  { ...anthropicPrompt, name: "a result may answer no call", find: "block.type === \"tool_result\" && !names.has(block.tool_use_id)", replace: "false && !names.has(block.type)" },
  { ...anthropicPrompt, name: "what proves a call is lost", find: "arguments: JSON.stringify(block.input),\n        ...(isNotNullable(block.signature) && { signature: block.signature })", replace: "arguments: JSON.stringify(block.input)" },
  { ...anthropicApi, name: "a page begins with the last of the one before", find: "at + 1", replace: "at" },
  { ...anthropicApi, name: "there is always more", find: "to < models.length : from > 0", replace: "true : true" },
  { ...anthropicFault, name: "overload is an outage", find: "overloaded_error: 529", replace: "overloaded_error: 503" },
  { ...anthropicFault, name: "threads are no thing apart", find: "field === \"thread\" ? \"thread_unsupported_request\" : ", replace: "" },
  { ...ollamaIn, name: "nothing is streamed unless told so", find: "wire.stream ?? true", replace: "wire.stream ?? false" },
  { ...ollamaIn, name: "0 of the likeliest are taken for a bound", find: "isNotNullable(top_k) && top_k > 0", replace: "isNotNullable(top_k)" },
  { ...ollamaIn, name: "no bound is taken for one", find: "num_predict > 0", replace: "num_predict !== 0" },
  { ...ollamaPrompt, name: "a call may be answered twice", find: "calls = calls.filter((other) => other !== call)", replace: "" },
  { ...ollamaPrompt, name: "calls of two turns have the same ids", find: "`call_${at}_${index}`", replace: "`call_${index}`" },
  { ...ollamaOut, name: "a nanosecond is a microsecond", find: "total_duration: (now() - arrived) * 1_000_000,\n  ...(usage.inputTokens", replace: "total_duration: (now() - arrived) * 1_000,\n  ...(usage.inputTokens" },
  { ...ollamaOut, name: "what proves thinking is lost", find: "? { thoughts: thoughts.map(({ _tag, ...thought }) => thought) }", replace: "? {}" }
]
