package report

import (
	"io"
	"testing"
)

// An ordinary page, and one of 5,000 lines with as many before and since.
func BenchmarkWrite(b *testing.B) {
	for _, name := range []string{"ordinary", "many"} {
		p := cases()[name]
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if err := Write(io.Discard, p); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
