/** A value that is serialized already: `text` is its JSON. */
export class JsonText<T> {
  readonly text: string
  /** Says only of what type the value is. */
  declare readonly value: T

  constructor(text: string) {
    this.text = text
  }
}
