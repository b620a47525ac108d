import { assert, describe, it } from "@effect/vitest"
import { FastCheck as fc } from "effect"
import * as Xml from "../src/internal/xml.js"

describe("xml", () => {
  it("reads elements, their text, and what is in them", () => {
    const document = Xml.parse(
      `\ufeff<?xml version="1.0" encoding="UTF-8"?>\n<!-- a list -->\n<ns:List xmlns:ns="http://s3/" a='x'>` +
        `<Key>a &amp; b&#x20AC;&#233;</Key><Key><![CDATA[<raw>]]></Key><Empty/><None></None><Deep><Key>no</Key></Deep></ns:List>`
    )!
    assert.isTrue(document.complete)
    assert.strictEqual(document.root.name, "List")
    assert.deepStrictEqual(Xml.all(document.root, "Key").map(({ text }) => text), ["a & b€é", "<raw>"])
    assert.strictEqual(Xml.textOf(document.root, "Key"), "a & b€é")
    assert.strictEqual(Xml.textOf(document.root, "Empty") ?? Xml.textOf(document.root, "None"), undefined)
    assert.strictEqual(Xml.textOf(Xml.all(document.root, "Deep")[0]!, "Key"), "no")
  })

  it("knows how far a document came that was cut short", () => {
    const document = Xml.parse("<Error><Code>SlowDown</Code><Message>Please")!
    assert.isFalse(document.complete)
    assert.strictEqual(Xml.textOf(document.root, "Code"), "SlowDown")
    assert.isTrue(Xml.parse("<Root/>")!.complete)
  })

  it("takes nothing else for a document", () => {
    for (
      const text of [
        "",
        "  ",
        "{}",
        "hello <b>you</b>",
        "<!DOCTYPE html><html></html>",
        "<!DOCTYPE x [<!ENTITY e \"boom\">]><x>&e;</x>",
        "<a></b>",
        "</a>",
        "< >",
        "<a>".repeat(40)
      ]
    ) {
      assert.isUndefined(Xml.parse(text), text)
    }
    assert.strictEqual(Xml.parse("<a>&unknown; &#x110000; &lt</a>")!.root.text, "&unknown; &#x110000; &lt")
  })

  it("reads what it has written, and any text cut anywhere without falling over", () => {
    fc.assert(fc.property(fc.array(fc.string({ unit: "binary" })), fc.nat(), (texts, cut) => {
      const speakable = texts.filter(Xml.isSpeakable)
      const written = Xml.element("Root", speakable.map((text) => Xml.element("Key", text)))
      const read = Xml.parse(written)!
      assert.deepStrictEqual(Xml.all(read.root, "Key").map(({ text }) => text), speakable)
      const part = Xml.parse(written.slice(0, cut % written.length))
      assert.isTrue(part === undefined || !part.complete)
    }))
  })
})
