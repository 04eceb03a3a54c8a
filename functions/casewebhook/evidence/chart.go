package evidence

import (
	"cmp"
	"encoding/xml"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Measures of a chart, in pixels.
const (
	width, height          = 960, 460
	left, right            = 80.0, 930.0
	top, bottom            = 76.0, 330.0
	legendTop, legendEvery = 396.0, 16.0
	maxDrawn               = 4   // series; the table has all of them
	maxDots                = 420 // of one line; where there are more the highest of each stretch is drawn
	maxTitle, maxName      = 110, 130
)

// chart is a picture of time series: lines over time, the beginning of the incident, the threshold. It is one file of SVG that needs nothing
// else: no script, no style sheet, no font, nothing from elsewhere. Printed in black and white its lines differ by their dashes.
type chart struct {
	title     string
	start     time.Time // of the incident
	from, to  time.Time
	zone      *time.Location
	threshold string // a number, or nothing to be drawn
	series    []series
	redact    func(string) string
	low, high float64
}

// strokes tell lines apart by color on a screen and by dashes on paper.
var strokes = []struct{ color, dashes string }{{"#1a4f9c", ""}, {"#b3470b", "7 3"}, {"#2f7d32", "2 3"}, {"#7b2d8e", "9 3 2 3"}}

func (c chart) svg() string {
	all := busiest(c.series, maxDrawn)
	for i := range all {
		all[i].points = all[i].drawn()
	}
	c.scale(all)
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %[1]d %[2]d" font-family="Helvetica, Arial, sans-serif" font-size="12">`+"\n", width, height)
	fmt.Fprintf(&b, `<rect width="%d" height="%d" fill="#ffffff"/>`+"\n", width, height)
	c.label(&b, 16, 26, `font-size="16" font-weight="bold" fill="#111111"`, clip(c.redact(c.title), maxTitle))
	c.label(&b, 16, 48, `fill="#444444"`, c.subtitle(all))
	c.values(&b)
	c.times(&b)
	for i, s := range all {
		c.line(&b, s.points, i)
		c.legend(&b, s, i)
	}
	c.limit(&b)
	c.beginning(&b)
	fmt.Fprintf(&b, `<rect x="%s" y="%s" width="%s" height="%s" fill="none" stroke="#444444"/>`+"\n", px(left), px(top), px(right-left), px(bottom-top))
	b.WriteString("</svg>\n")
	return b.String()
}

func (c chart) subtitle(all []series) string {
	what := "values as they were written"
	switch {
	case all[0].mean:
		what = "means of distributions"
	case all[0].kind == "DELTA" || all[0].kind == "CUMULATIVE":
		what = "counts per second"
	}
	if u := all[0].unit; u != "" && u != "1" {
		what += " [" + clip(c.redact(u), 30) + "]"
	}
	if n := len(c.series); n > len(all) {
		what += fmt.Sprintf("; the %d highest of %d series", len(all), n)
	}
	return what
}

// scale fits the values and the threshold.
func (c *chart) scale(all []series) {
	c.low, c.high = 0, 0
	for _, s := range all {
		for _, p := range s.points {
			c.low, c.high = min(c.low, p.value), max(c.high, p.value)
		}
	}
	if v, ok := c.limited(); ok {
		c.low, c.high = min(c.low, v), max(c.high, v)
	}
	if c.high-c.low < 1e-290 { // nothing can be told apart
		c.high = c.low + 1
	}
	step := niceStep((c.high - c.low) / 5)
	c.low, c.high = math.Floor(c.low/step)*step, math.Ceil(c.high*1.02/step)*step
}

// limited is the threshold, if it is a number that can be drawn.
func (c chart) limited() (float64, bool) {
	v, err := strconv.ParseFloat(strings.TrimSpace(c.threshold), 64)
	return v, err == nil && math.Abs(v) <= highest
}

// niceStep is the least of 1, 2 and 5 times a power of ten that is no smaller than v.
func niceStep(v float64) float64 {
	unit := math.Pow(10, math.Floor(math.Log10(v)))
	for _, n := range []float64{1, 2, 5, 10} {
		if n*unit >= v*(1-1e-9) {
			return n * unit
		}
	}
	return 10 * unit
}

func (c chart) x(t time.Time) float64 {
	share := float64(t.Sub(c.from)) / float64(c.to.Sub(c.from))
	return left + min(max(share, 0), 1)*(right-left)
}

func (c chart) y(v float64) float64 { return bottom - (v-c.low)/(c.high-c.low)*(bottom-top) }

// values draws the axis of values and its grid.
func (c chart) values(b *strings.Builder) {
	step := niceStep((c.high - c.low) / 6)
	for n := range 12 {
		v := c.low + float64(n)*step
		if v > c.high+step/2 {
			return
		}
		y := c.y(min(v, c.high))
		fmt.Fprintf(b, `<path d="M%s %sH%s" stroke="#dddddd"/>`+"\n", px(left), px(y), px(right))
		c.label(b, left-8, y+4, `text-anchor="end" fill="#333333"`, short(v, step))
	}
}

// steps are the distances of the marks on the axis of times.
var steps = []time.Duration{time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 15 * time.Minute, 30 * time.Minute,
	time.Hour, 2 * time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour, 24 * time.Hour}

// times draws the axis of times, in the zone of the desk's people, and says which that is.
func (c chart) times(b *strings.Builder) {
	step := steps[len(steps)-1]
	if i := slices.IndexFunc(steps, func(s time.Duration) bool { return c.to.Sub(c.from)/s <= 9 }); i >= 0 {
		step = steps[i]
	}
	for t := c.from.Truncate(step); !t.After(c.to); t = t.Add(step) {
		if t.Before(c.from) {
			continue
		}
		fmt.Fprintf(b, `<path d="M%s %sV%s" stroke="#eeeeee"/>`+"\n", px(c.x(t)), px(top), px(bottom))
		c.label(b, c.x(t), bottom+18, `text-anchor="middle" fill="#333333"`, t.In(c.zone).Format("15:04"))
	}
	zones := c.from.In(c.zone).Format("MST -07:00")
	if last := c.to.In(c.zone).Format("MST -07:00"); last != zones {
		zones += ", then " + last
	}
	c.label(b, right, bottom+38, `text-anchor="end" fill="#444444"`,
		fmt.Sprintf("%s, times in %s (%s)", c.start.In(c.zone).Format("2006-01-02"), c.zone, zones))
}

// line draws a series. Where points are missing the line is broken.
func (c chart) line(b *strings.Builder, points []point, i int) {
	if len(points) == 0 {
		return
	}
	points = thinned(points, maxDots)
	gap := 3 * usual(points)
	fmt.Fprintf(b, `<path fill="none" stroke="%s" stroke-width="1.6" stroke-dasharray="%s" stroke-linejoin="round" d="`, strokes[i].color, cmp.Or(strokes[i].dashes, "none"))
	for j, p := range points {
		move := "L"
		if j == 0 || p.at.Sub(points[j-1].at) > gap {
			move = "M"
		}
		fmt.Fprintf(b, "%s%s %s", move, px(c.x(p.at)), px(c.y(p.value)))
	}
	b.WriteString(`"/>` + "\n")
	if len(points) == 1 {
		fmt.Fprintf(b, `<circle cx="%s" cy="%s" r="3" fill="%s"/>`+"\n", px(c.x(points[0].at)), px(c.y(points[0].value)), strokes[i].color)
	}
}

// thinned keeps the highest point of each stretch.
func thinned(points []point, most int) []point {
	if len(points) <= most {
		return points
	}
	every := (len(points) + most - 1) / most
	var out []point
	for some := range slices.Chunk(points, every) {
		out = append(out, slices.MaxFunc(some, func(a, b point) int { return cmp.Compare(a.value, b.value) }))
	}
	return out
}

// usual is the median distance of points.
func usual(points []point) time.Duration {
	var all []time.Duration
	for i := 1; i < len(points); i++ {
		all = append(all, points[i].at.Sub(points[i-1].at))
	}
	slices.Sort(all)
	if len(all) == 0 {
		return 0
	}
	return all[len(all)/2]
}

func (c chart) legend(b *strings.Builder, s series, i int) {
	y := legendTop + float64(i)*legendEvery
	fmt.Fprintf(b, `<path d="M16 %sH60" stroke="%s" stroke-width="2" stroke-dasharray="%s"/>`+"\n", px(y-4), strokes[i].color, cmp.Or(strokes[i].dashes, "none"))
	c.label(b, 68, y, `fill="#333333"`, clip(c.redact(cmp.Or(s.name, "the only series")), maxName))
}

// limit draws the threshold.
func (c chart) limit(b *strings.Builder) {
	v, ok := c.limited()
	if !ok {
		return
	}
	fmt.Fprintf(b, `<path d="M%s %sH%s" stroke="#c00000" stroke-width="1.4" stroke-dasharray="10 4"/>`+"\n", px(left), px(c.y(v)), px(right))
	c.label(b, right-4, c.y(v)-5, `text-anchor="end" fill="#c00000"`, "threshold "+strings.TrimSpace(c.threshold))
}

// beginning marks where the incident began.
func (c chart) beginning(b *strings.Builder) {
	x := c.x(c.start)
	fmt.Fprintf(b, `<path d="M%s %sV%s" stroke="#000000" stroke-width="1.4" stroke-dasharray="3 3"/>`+"\n", px(x), px(top-8), px(bottom))
	anchor := "middle"
	if x > right-60 {
		anchor = "end"
	}
	c.label(b, x, top-12, `text-anchor="`+anchor+`" fill="#000000"`, "began "+c.start.In(c.zone).Format("15:04:05"))
}

// label writes a text, whatever is in it.
func (c chart) label(b *strings.Builder, x, y float64, attributes, text string) {
	fmt.Fprintf(b, `<text x="%s" y="%s" %s>`, px(x), px(y), attributes)
	_ = xml.EscapeText(b, []byte(text)) // a strings.Builder takes everything
	b.WriteString("</text>\n")
}

func px(v float64) string { return strconv.FormatFloat(v, 'f', 1, 64) }

// short writes a value of an axis with no more digits than its step has.
func short(v, step float64) string {
	if math.Abs(v) < step/1e6 {
		return "0"
	}
	if math.Abs(v) >= 1e6 || step < 1e-4 {
		return strconv.FormatFloat(v, 'g', 4, 64)
	}
	return strconv.FormatFloat(v, 'f', max(0, int(math.Ceil(-math.Log10(step)-1e-9))), 64)
}

// clip shortens a text to n characters.
func clip(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return s
}
