package cloud

import (
	"math/rand/v2"
	"time"
)

func (o Options) jitter() func() float64 {
	if o.Jitter != nil {
		return o.Jitter
	}
	return rand.Float64
}

// backoff is how long to wait before the n-th repeat, from 0: anything up to twice as long each time, so that writers who collided once do
// not collide again.
func (c *Clients) backoff(n int, first, most time.Duration) time.Duration {
	limit := min(first<<min(n, 20), most)
	return first/4 + time.Duration(c.jitter()*float64(limit))
}
