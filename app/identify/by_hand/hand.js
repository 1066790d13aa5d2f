/**
 * What if, by hand: the photo on a canvas, and what was changed in it.
 *
 * The browser draws and keeps the edit; the server applies it and says what the model makes of it. Two edits are under
 * way at most, one that the server works at and one whose answer is on its way, so that a quick hand never waits for old
 * answers. An edit that comes while the server works would end that work, so the second leaves when it is done by rights.
 */
const WAIT = 3000 // milliseconds after which an answer is given up and the edit sent again
const MARGIN = 1.25, ROUND_TRIP = 25 // of the server's work, and milliseconds on top: when it is done by rights
const STEP = 0.02, LEAP = 0.1, TURN = 5, GROW = 1.1
const hands = new WeakMap()

/** A text in its place. What says the same already is left alone: the page would be laid out anew. */
function write(place, text) {
  if (place.textContent !== text) place.textContent = text
}

/** Called by Streamlit for each answer; what it gives is called when the canvas goes. */
export default function ({ data, parentElement, setStateValue }) {
  let hand = hands.get(parentElement)
  if (!hand) hands.set(parentElement, (hand = new Hand(parentElement, data)))
  hand.send = (edit) => setStateValue("edit", edit)
  hand.take(data)
  return () => [hand.late, hand.next].forEach(clearTimeout)
}

class Hand {
  constructor(root, data) {
    this.find = (selector) => root.querySelector(selector)
    this.canvas = this.find("canvas")
    this.pen = this.canvas.getContext("2d", { alpha: false })
    this.first = data.first
    this.grid = data.grid
    this.sent = 0
    this.answered = 0
    this.brushAt = [data.grid / 2, data.grid / 2]
    this.brush = 2.5 // its radius, in cells of the short side
    this.edit = { ...this.first, map: true, cells: new Uint8Array(data.grid * data.grid) }
    this.begin(data)
    this.listen()
  }

  begin({ light, least, fills }) {
    const set = (name, values) => Object.assign(this.find(`[name=${name}]`), values)
    set("side", { min: Math.round(100 * least), max: 100 })
    set("light", { min: Math.round(100 * light[0]), max: Math.round(100 * light[1]) })
    this.find("[name=fill]").replaceChildren(...fills.map(([value, title]) => new Option(title, value)))
    this.least = least
  }

  listen() {
    const on = (selector, kind, act) => this.find(selector).addEventListener(kind, act)
    for (const name of ["side", "light", "angle"]) {
      const unit = name === "angle" ? 1 : 100
      on(`[name=${name}]`, "input", (event) => this.change({ [name]: Number(event.target.value) / unit }))
    }
    on("[name=fill]", "change", (event) => this.change({ fill: event.target.value }))
    on("[name=map]", "change", (event) => this.change({ map: event.target.checked }))
    on(".reset", "click", () => this.reset())
    on(".tool", "change", () => this.draw())
    on("canvas", "keydown", (event) => this.key(event))
    on("canvas", "pointerdown", (event) => this.down(event))
    on("canvas", "pointermove", (event) => this.move(event))
    for (const kind of ["pointerup", "pointercancel"]) on("canvas", kind, () => (this.drag = null))
  }

  /** An answer, and at first the photo itself. */
  take(data) {
    if (data.photo && !this.photo) {
      this.photo = new Image()
      this.photo.onload = () => this.draw()
      this.photo.src = data.photo
      this.canvas.width = data.size[0]
      this.canvas.height = data.size[1]
      this.canvas.setAttribute("aria-label", data.label)
    }
    this.answered = data.number
    this.pace = MARGIN * data.took + ROUND_TRIP
    if (data.number === this.sent) clearTimeout(this.late)
    this.show(data.answer)
    this.busy()
    if (!this.photo) this.sendNow() // it was drawn anew, and the server took it for the one before
    else if (this.changed) this.push()
    this.draw()
  }

  show(answer) {
    const say = (selector, text) => write(this.find(selector), text)
    this.find(".said").className = `said ${answer.verdict}`
    say(".mark", answer.mark)
    say(".name", answer.headline)
    say(".subject", answer.subject)
    say(".told", answer.told)
    say(".seen figcaption", answer.caption)
    Object.assign(this.find(".seen img"), { src: answer.seen, alt: answer.alt })
    for (const list of ["names", "patterns"]) this.bars(this.find(`.${list}`), answer[list])
  }

  bars(list, rows) {
    while (list.children.length > rows.length) list.lastChild.remove()
    while (list.children.length < rows.length) {
      const row = document.createElement("li")
      row.innerHTML = '<div class="line"><span></span><span class="share"></span></div><div class="track" aria-hidden="true"><div class="fill"></div></div>'
      list.append(row)
    }
    rows.forEach(([title, share, width], at) => {
      const [name, said] = list.children[at].querySelectorAll("span")
      write(name, title)
      write(said, share)
      list.children[at].querySelector(".fill").style.width = `${Math.max(0, Math.min(1, width)) * 100}%`
    })
  }

  /** Another edit: drawn at once, sent as soon as the one under way is answered. */
  change(values) {
    Object.assign(this.edit, values)
    const edit = this.edit
    edit.side = Math.min(1, Math.max(this.least, edit.side))
    const [width, height] = [this.canvas.width, this.canvas.height]
    const half = edit.angle === 0 ? (edit.side * Math.min(width, height)) / 2 : 0
    edit.x = Math.min(1 - half / width, Math.max(half / width, edit.x))
    edit.y = Math.min(1 - half / height, Math.max(half / height, edit.y))
    this.changed = true
    this.draw()
    this.push()
  }

  push() {
    const [ahead, soon] = [this.sent - this.answered, this.sentAt + this.pace - performance.now()]
    clearTimeout(this.next)
    if (ahead === 0 || (ahead === 1 && soon <= 0)) this.sendNow()
    else if (ahead === 1) this.next = setTimeout(() => this.changed && this.push(), soon)
    this.busy()
  }

  /** For who listens: whether what is said is of an edit before the last. */
  busy() {
    const [hand, busy] = [this.find(".hand"), String(Boolean(this.changed) || this.sent !== this.answered)]
    if (hand.getAttribute("aria-busy") !== busy) hand.setAttribute("aria-busy", busy)
  }

  sendNow() {
    const { x, y, side, angle, light, fill, map, cells } = this.edit
    const round = (number) => Math.round(number * 1e4) / 1e4
    const bytes = Array.from({ length: cells.length / 8 }, (_, at) =>
      cells.subarray(8 * at, 8 * at + 8).reduce((byte, bit) => 2 * byte + bit, 0).toString(16).padStart(2, "0"))
    this.changed = false
    this.sent += 1
    this.sentAt = performance.now()
    clearTimeout(this.late)
    this.late = setTimeout(() => this.sendNow(), WAIT)
    this.send({ x: round(x), y: round(y), side: round(side), angle: round(angle), light: round(light), fill, map,
      brushed: bytes.join(""), number: this.sent, drawn: Boolean(this.photo) })
  }

  reset() {
    this.edit.cells.fill(0)
    this.kept = null
    this.change({ ...this.first })
  }

  get tool() {
    return this.find("[name=tool]:checked").value
  }

  key(event) {
    const arrows = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }
    if (event.ctrlKey || event.metaKey || event.altKey) return
    const grow = { "+": GROW, "=": GROW, "-": 1 / GROW }[event.key]
    const turn = { "[": -TURN, "]": TURN }[event.key]
    const arrow = arrows[event.key]
    if (arrow && this.tool === "brush") {
      this.brushAt = this.brushAt.map((at, axis) => Math.min(this.grid - 0.5, Math.max(0.5, at + arrow[axis])))
      this.draw()
    } else if (arrow) {
      const step = (event.shiftKey ? LEAP : STEP) * Math.min(this.canvas.width, this.canvas.height)
      this.change({ x: this.edit.x + (arrow[0] * step) / this.canvas.width,
        y: this.edit.y + (arrow[1] * step) / this.canvas.height })
    } else if (grow && this.tool === "brush") {
      this.brush = Math.min(8, Math.max(1, this.brush * grow))
      this.draw()
    } else if (grow) this.change({ side: this.edit.side * grow })
    else if (turn) this.change({ angle: ((this.edit.angle + turn + 540) % 360) - 180 })
    else if (event.key === "0") this.reset()
    else if (event.key === " " && this.tool === "brush") this.paint()
    else return
    event.preventDefault()
  }

  /** Where a pointer is, in the canvas' own pixels. */
  at(event) {
    const place = this.canvas.getBoundingClientRect()
    return [((event.clientX - place.left) / place.width) * this.canvas.width,
      ((event.clientY - place.top) / place.height) * this.canvas.height]
  }

  down(event) {
    if (event.button > 0) return
    event.preventDefault()
    this.canvas.focus({ preventScroll: true })
    this.canvas.setPointerCapture(event.pointerId)
    const [x, y] = this.at(event)
    if (this.tool === "brush") this.drag = { brush: true }
    else {
      const [handleX, handleY] = this.corner()
      const reach = (24 * this.canvas.width) / this.canvas.getBoundingClientRect().width
      const size = Math.hypot(x - handleX, y - handleY) < reach
      this.drag = { size, x, y, from: { ...this.edit } }
    }
    this.move(event)
  }

  move(event) {
    if (!this.drag) return
    const [x, y] = this.at(event)
    const { width, height } = this.canvas
    if (this.drag.brush) {
      this.brushAt = [(x / width) * this.grid, (y / height) * this.grid]
      this.paint()
      return
    }
    const from = this.drag.from
    if (this.drag.size) {
      const reach = Math.hypot(x - from.x * width, y - from.y * height) * Math.SQRT2
      this.change({ side: reach / Math.min(width, height) })
    } else if (x !== this.drag.x || y !== this.drag.y) {
      this.change({ x: from.x + (x - this.drag.x) / width, y: from.y + (y - this.drag.y) / height })
    }
  }

  /** Brush away the cells below the brush. */
  paint() {
    const { cells } = this.edit
    this.eachCell((at, inside) => inside && (cells[at] = 1))
    this.kept = null
    this.change({})
  }

  eachCell(act) {
    const { width, height } = this.canvas
    const cell = [width / this.grid, height / this.grid]
    const reach = this.brush * Math.min(...cell)
    for (let at = 0; at < this.grid * this.grid; at++) {
      const [column, row] = [at % this.grid, Math.floor(at / this.grid)]
      const away = Math.hypot((column + 0.5 - this.brushAt[0]) * cell[0], (row + 0.5 - this.brushAt[1]) * cell[1])
      act(at, away <= reach, column * cell[0], row * cell[1], ...cell)
    }
  }

  /** The frame's corner to pull at: below on the right, where it is not turned. */
  corner() {
    const { width, height } = this.canvas
    const turned = (this.edit.angle * Math.PI) / 180 + Math.PI / 4
    const reach = (this.edit.side * Math.min(width, height)) / Math.SQRT2
    return [this.edit.x * width + reach * Math.cos(turned), this.edit.y * height + reach * Math.sin(turned)]
  }

  /** Draw before the window is shown again, once for all that changed until then. */
  draw() {
    this.due ??= requestAnimationFrame(() => {
      this.due = undefined
      this.drawNow()
    })
  }

  /** The photo with what was brushed away: kept until the brush moves, as a frame that moves is drawn often. */
  below() {
    if (!this.kept) {
      this.kept = new OffscreenCanvas(this.canvas.width, this.canvas.height)
      const pen = this.kept.getContext("2d")
      pen.drawImage(this.photo, 0, 0, this.kept.width, this.kept.height)
      pen.fillStyle = "rgba(128, 128, 128, 0.75)"
      this.eachCell((at, _, x, y, across, down) => this.edit.cells[at] && pen.fillRect(x, y, across + 0.5, down + 0.5))
    }
    return this.kept
  }

  drawNow() {
    if (!this.photo?.complete) return
    const { pen, edit, canvas: { width, height } } = this
    const brushing = this.tool === "brush"
    this.canvas.classList.toggle("brush", brushing)
    for (const [name, unit] of [["side", 100], ["light", 100], ["angle", 1]]) {
      const slider = this.find(`[name=${name}]`)
      const value = String(Math.round(edit[name] * unit))
      if (slider.value === value && slider.hasAttribute("aria-valuetext")) continue
      slider.value = value
      slider.setAttribute("aria-valuetext", `${value} ${name === "angle" ? "degrees" : "per cent"}`)
    }
    this.find("[name=fill]").value = edit.fill
    this.find("[name=map]").checked = edit.map
    write(this.find(".hint"), brushing
      ? "Brush over what should go." : "Drag the frame, or pull at its corner: the model sees what is inside.")

    pen.drawImage(this.below(), 0, 0)

    const side = edit.side * Math.min(width, height)
    const line = Math.max(2, width / 240)
    const frame = new Path2D()
    const placed = new DOMMatrix().translate(edit.x * width, edit.y * height).rotate(edit.angle)
    const square = new Path2D()
    square.rect(-side / 2, -side / 2, side, side)
    frame.addPath(square, placed)
    const outside = new Path2D(frame)
    outside.rect(0, 0, width, height)
    pen.fillStyle = "rgba(0, 0, 0, 0.5)"
    pen.fill(outside, "evenodd")
    for (const [colour, thick] of [["#000", line + 2], ["#e69f00", line]]) {
      pen.strokeStyle = colour
      pen.lineWidth = thick
      pen.stroke(frame)
    }
    pen.beginPath()
    pen.arc(...this.corner(), 4 * line, 0, 2 * Math.PI)
    pen.fillStyle = "#e69f00"
    pen.lineWidth = 2
    pen.strokeStyle = "#000"
    pen.fill()
    pen.stroke()
    if (brushing) {
      pen.beginPath()
      pen.arc((this.brushAt[0] * width) / this.grid, (this.brushAt[1] * height) / this.grid,
        (this.brush * Math.min(width, height)) / this.grid, 0, 2 * Math.PI)
      pen.strokeStyle = "#fff"
      pen.stroke()
    }
  }
}
