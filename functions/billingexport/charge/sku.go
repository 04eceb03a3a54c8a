package charge

import "cmp"

// skus keeps the rule that a SkuPriceId, which is the sku's name, has one SkuId, which is its cross reference. A name that has two stands for
// both. That must be known before the first row of the name is written.
type skus struct {
	known map[string]bool   // names that were found to have two
	first map[string]string // the first cross reference of a name
	two   map[string]bool
	again bool // a name was found that was not known: rows may be written wrongly
}

func newSkus(known map[string]bool) *skus {
	s := &skus{known: known, first: map[string]string{}, two: map[string]bool{}}
	return s
}

// note takes in a sku.
func (s *skus) note(name, cross string) {
	price, id := skuIDs(name, cross)
	first, ok := s.first[price]
	if !ok {
		s.first[price] = id
		return
	}
	if first != id {
		s.two[price] = true
		s.again = s.again || !s.known[price]
	}
}

// ids returns SkuPriceId and SkuId.
func (s *skus) ids(name, cross string) (price, id string) {
	price, id = skuIDs(name, cross)
	if s.known[price] {
		return price, price
	}
	return price, id
}

// skuIDs are those of a sku by itself. One of the two names it.
func skuIDs(name, cross string) (price, id string) { return cmp.Or(name, cross), cmp.Or(cross, name) }
