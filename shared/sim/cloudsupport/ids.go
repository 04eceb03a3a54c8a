package cloudsupport

import "github.com/providerdesk/providerdesk/shared/sim/server"

// next draws with the next value of the counter.
func (tx *tx) next(purpose string) [32]byte {
	tx.change.Serial++
	return tx.ids.Draw(purpose, tx.change.Serial)
}

// caseNumber is a free one of eight digits.
func (tx *tx) caseNumber() string {
	for {
		n := server.Digits(tx.next("case"), 8)
		if tx.state.byNumber[n] == nil {
			return n
		}
	}
}

func letters(random [32]byte, n int) string { return server.Letters(random, server.Alphanumeric, n) }
