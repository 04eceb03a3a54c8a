package hub

import "fmt"

// next draws with the next value of the counter.
func (tx *tx) next(purpose string) [32]byte {
	tx.change.Serial++
	return tx.ids.Draw(purpose, tx.change.Serial)
}

func uuid(random [32]byte) string {
	random[6], random[8] = random[6]&0x0f|0x40, random[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", random[0:4], random[4:6], random[6:8], random[8:10], random[10:16])
}
