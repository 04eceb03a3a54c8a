package focusfile

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"math/bits"
	"slices"

	"github.com/parquet-go/parquet-go/compress/snappy"
	"github.com/parquet-go/parquet-go/encoding/rle"
	"github.com/parquet-go/parquet-go/format"

	"github.com/providerdesk/providerdesk/functions/billingexport/focus"
)

// chunk is a column of a row group that is being made. A column that is shared, and times, have a dictionary; a charge's own numbers and texts
// are written one after the other.
type chunk struct {
	column

	// Of a column with a dictionary.
	places  map[string]int32 // of a value's bytes in the dictionary
	values  []byte           // of the dictionary, or of the rows
	entries int              // of the dictionary
	at      []int32          // a shared row's place, or a row's if the column is a charge's own; absent: null
	lowest  int64            // of times
	highest int64

	lastText  string // that was looked up
	lastPlace int32

	levels []byte // whether a row is not null; nil while all are
	nulls  int
	rows   int

	useful bool   // the dictionary is, in this group
	packed []byte // of the data page
	data   page
}

// scratch is memory that the chunks of a file use one after the other.
type scratch struct {
	index                   []int32 // places of the rows that are not null
	levels                  []byte
	raw, packed, dictionary []byte
}

// absent is the place of a null.
const absent = -1

// page is what stands in a file.
type page struct {
	header format.PageHeader
	body   []byte
}

func (c *chunk) indexed() bool { return !c.own || c.second != nil }

// reset begins the next group. What charges share may remain.
func (c *chunk) reset(forget bool) {
	c.levels, c.nulls, c.rows = c.levels[:0], 0, 0
	if c.own || forget {
		clear(c.places)
		c.values, c.at, c.entries, c.lastText = c.values[:0], c.at[:0], 0, ""
	}
}

// share takes in the column's value in a row that charges share. It returns how many bytes that takes.
func (c *chunk) share(r *focus.Row, s *scratch) (int, error) {
	if c.own {
		return 0, nil
	}
	v, err := c.sharedIn(r)
	if err != nil {
		return 0, err
	}
	if v.null {
		c.at = append(c.at, absent)
		return 0, nil
	}
	before := len(c.values)
	switch c.Kind {
	case focus.Time:
		c.at = append(c.at, c.placeOfTime(v.second))
	case focus.Decimal:
		b := v.number.Bytes()
		c.at = append(c.at, c.place(b[:]))
	default:
		c.at = append(c.at, c.placeOfText(v.text, s))
	}
	return len(c.values) - before, nil
}

// placeOfText looks a text up only where it is another than the last.
func (c *chunk) placeOfText(text string, s *scratch) int32 {
	if c.entries == 0 || text != c.lastText {
		s.raw = appendText(s.raw[:0], text)
		c.lastText, c.lastPlace = text, c.place(s.raw)
	}
	return c.lastPlace
}

// place is where a value stands in the dictionary.
func (c *chunk) place(value []byte) int32 {
	if i, ok := c.places[string(value)]; ok {
		return i
	}
	if c.places == nil {
		c.places = map[string]int32{}
	}
	i := int32(c.entries)
	c.places[string(value)] = i
	c.values = append(c.values, value...)
	c.entries++
	return i
}

func (c *chunk) placeOfTime(second int64) int32 {
	micro := second * 1e6
	if c.entries == 0 {
		c.lowest, c.highest = micro, micro
	}
	c.lowest, c.highest = min(c.lowest, micro), max(c.highest, micro)
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], uint64(micro))
	return c.place(b[:])
}

func appendText(dst []byte, s string) []byte {
	return append(binary.LittleEndian.AppendUint32(dst, uint32(len(s))), s...)
}

// add takes in a charge's own columns.
func (c *chunk) add(batch []Charge) {
	switch {
	case c.number != nil:
		c.addNumbers(batch)
	case c.second != nil:
		c.addTimes(batch)
	case c.count != nil:
		c.addCounts(batch)
	case c.text != nil:
		c.addTexts(batch)
	}
	c.rows += len(batch)
}

func (c *chunk) addNumbers(batch []Charge) {
	for i := range batch {
		n, ok := c.number(&batch[i])
		if ok {
			c.values = n.AppendBytes(c.values)
		}
		c.level(ok, i)
	}
}

// addTimes looks a time up only where it is another than that of the row before.
func (c *chunk) addTimes(batch []Charge) {
	var second int64
	place := int32(absent)
	for i := range batch {
		if s := c.second(&batch[i]); place == absent || s != second {
			second, place = s, c.placeOfTime(s)
		}
		c.at = append(c.at, place)
	}
}

func (c *chunk) addCounts(batch []Charge) {
	for i := range batch {
		n := c.count(&batch[i])
		if n != 0 {
			c.values = binary.LittleEndian.AppendUint64(c.values, uint64(n))
		}
		c.level(n != 0, i)
	}
}

func (c *chunk) addTexts(batch []Charge) {
	for i := range batch {
		s := c.text(&batch[i])
		if s != "" {
			c.values = appendText(c.values, s)
		}
		c.level(s != "", i)
	}
}

// level notes whether the row that is i behind those already there is null. As long as none is, nothing is kept.
func (c *chunk) level(present bool, i int) {
	row := c.rows + i
	switch {
	case present && c.nulls == 0:
		return
	case c.nulls == 0:
		c.levels = slices.Grow(c.levels[:0], groupRows)[:row]
		for j := range c.levels {
			c.levels[j] = 1
		}
	}
	if present {
		c.levels = append(c.levels, 1)
		return
	}
	c.levels = append(c.levels, 0)
	c.nulls++
}

// encode makes the data page; of tells what row every row shares columns with. Columns whose values stand in the same places, or are the same,
// have the same page, which is encoded and compressed once: most costs are equal, and many columns change together.
func (c *chunk) encode(of []int32, before []chunk, s *scratch) (err error) {
	for i := range before {
		if before[i].alike(c) {
			c.data, c.nulls, c.useful = before[i].data, before[i].nulls, before[i].useful
			return nil
		}
	}
	index, levels := c.at, c.levels
	if !c.own {
		index, levels = c.gather(of, s)
	}
	c.useful = c.entries > 0 && c.nulls < len(of)
	if s.raw, err = c.appendLevels(s.raw[:0], levels, len(of)); err != nil {
		return err
	}
	if s.raw, err = c.appendValues(s.raw, index, s, len(of)); err != nil {
		return err
	}
	if c.data, err = press(&s.packed, s.raw); err != nil {
		return err
	}
	c.packed = append(c.packed[:0], c.data.body...)
	c.data.body = c.packed
	c.data.header.Type = format.DataPage
	c.data.header.DataPageHeader.Valid = true
	c.data.header.DataPageHeader.V = format.DataPageHeader{
		NumValues: int32(len(of)), Encoding: c.encoding(), DefinitionLevelEncoding: format.RLE, RepetitionLevelEncoding: format.RLE,
	}
	return nil
}

// alike reports whether the page of another column is this one's.
func (c *chunk) alike(d *chunk) bool {
	if c.Nullable != d.Nullable || c.own != d.own {
		return false
	}
	if !c.own {
		return (c.entries == 0) == (d.entries == 0) && width(c.entries) == width(d.entries) && slices.Equal(c.at, d.at)
	}
	return c.number != nil && d.number != nil && c.nulls+d.nulls == 0 && bytes.Equal(c.values, d.values)
}

// gather lists the places of the rows that are not null, and which are not.
func (c *chunk) gather(of []int32, s *scratch) (index []int32, levels []byte) {
	if !slices.Contains(c.at, absent) {
		s.index = slices.Grow(s.index[:0], len(of))[:len(of)]
		for i, n := range of {
			s.index[i] = c.at[n]
		}
		return s.index, nil
	}
	s.index, s.levels = s.index[:0], s.levels[:0]
	for _, n := range of {
		if c.at[n] == absent {
			s.levels = append(s.levels, 0)
			c.nulls++
			continue
		}
		s.levels = append(s.levels, 1)
		s.index = append(s.index, c.at[n])
	}
	return s.index, s.levels
}

// appendLevels appends which rows are null, for a column that may be.
func (c *chunk) appendLevels(dst, levels []byte, rows int) ([]byte, error) {
	if !c.Nullable {
		return dst, nil
	}
	start := len(dst)
	dst = append(dst, 0, 0, 0, 0) // the length
	switch c.nulls {
	case 0:
		dst = appendRun(dst, rows, 1)
	case rows:
		dst = appendRun(dst, rows, 0)
	default:
		levels, err := (&rle.Encoding{BitWidth: 1}).EncodeLevels(nil, levels)
		if err != nil {
			return dst, err
		}
		dst = append(dst, levels...)
	}
	binary.LittleEndian.PutUint32(dst[start:], uint32(len(dst)-start-4))
	return dst, nil
}

// appendRun appends so many times the same value of at most 8 bits.
func appendRun(dst []byte, n int, value byte) []byte {
	return append(binary.AppendUvarint(dst, uint64(n)<<1), value)
}

func (c *chunk) appendValues(dst []byte, index []int32, s *scratch, rows int) ([]byte, error) {
	switch {
	case !c.indexed():
		return append(dst, c.values...), nil
	case !c.useful:
		return dst, nil
	case c.entries == 1:
		return appendRun(append(dst, byte(width(1))), rows-c.nulls, 0), nil
	}
	dst = append(dst, byte(width(c.entries)))
	places, err := (&rle.Encoding{BitWidth: width(c.entries)}).EncodeInt32(s.packed, index)
	s.packed = places
	return append(dst, places...), err
}

// width is the bits of a place in a dictionary. Zero would be right for one entry, but not all readers know.
func width(entries int) int { return max(1, bits.Len(uint(max(entries, 1)-1))) }

func (c *chunk) encoding() format.Encoding {
	if c.useful {
		return format.RLEDictionary
	}
	return format.Plain
}

func (c *chunk) encodings() []format.Encoding {
	if c.useful {
		return []format.Encoding{format.Plain, format.RLE, format.RLEDictionary}
	}
	return []format.Encoding{format.Plain, format.RLE}
}

func (c *chunk) dictionaryPage(s *scratch) page {
	p, _ := press(&s.dictionary, c.values) // snappy has no errors
	p.header.Type = format.DictionaryPage
	p.header.DictionaryPageHeader.Valid = true
	p.header.DictionaryPageHeader.V = format.DictionaryPageHeader{NumValues: int32(c.entries), Encoding: format.Plain}
	return p
}

// press compresses a page into a buffer.
func press(buffer *[]byte, raw []byte) (page, error) {
	packed, err := (&snappy.Codec{}).Encode((*buffer)[:cap(*buffer)], raw)
	*buffer = packed
	return page{body: packed, header: format.PageHeader{
		UncompressedPageSize: int32(len(raw)), CompressedPageSize: int32(len(packed)), CRC: int32(crc32.ChecksumIEEE(packed)),
	}}, err
}

// statistics are the nulls, and of times the first and the last, by which readers leave out what they need not look at.
func (c *chunk) statistics() format.Statistics {
	s := format.Statistics{NullCount: int64(c.nulls)}
	if c.Kind == focus.Time && c.entries > 0 {
		s.MinValue = binary.LittleEndian.AppendUint64(nil, uint64(c.lowest))
		s.MaxValue = binary.LittleEndian.AppendUint64(nil, uint64(c.highest))
	}
	return s
}
