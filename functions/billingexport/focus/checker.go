package focus

// What a checker keeps, whatever the number of rows.
const (
	maxExamples = 5       // row numbers of a finding
	maxMemory   = 8 << 20 // bytes of texts that each rule over the whole data set remembers
)

// Finding is a rule that rows break.
type Finding struct {
	Rule
	Count     int64   // rows that break it
	Rows      []int64 // the first of them, from 1
	Unchecked int64   // rows that it could not be asked about any more, because there were too many keys to remember
}

// Checker looks at the rows of one data set, one after the other. Its memory is bounded. It belongs to one goroutine.
type Checker struct {
	rules []rule
	found []Finding // of every rule
	rows  int64
	row   Row // the one that is looked at
}

// New returns a checker of all rules.
func New() *Checker { return newChecker(rules(maxMemory)) }

func newChecker(rules []rule) *Checker {
	return &Checker{rules: rules, found: make([]Finding, len(rules))}
}

// Add looks at the next row.
func (c *Checker) Add(row Row) {
	c.rows++
	c.row = row
	for i := range c.rules {
		if c.rules[i].broken(&c.row) {
			c.found[i].add(c.rows)
		}
	}
}

func (f *Finding) add(row int64) {
	f.Count++
	if len(f.Rows) < maxExamples {
		f.Rows = append(f.Rows, row)
	}
}

// Rows is how many were added.
func (c *Checker) Rows() int64 { return c.rows }

// Findings are the rules that are broken or could not be checked, in the order of their columns; none if all is well.
func (c *Checker) Findings() (all []Finding) {
	for i, r := range c.rules {
		f := c.found[i]
		if r.memory != nil {
			f.Unchecked = r.memory.unchecked
		}
		if f.Count > 0 || f.Unchecked > 0 {
			f.Rule = r.public()
			all = append(all, f)
		}
	}
	return all
}

// Rules are all rules of a Checker, in the order of their columns.
func Rules() (all []Rule) {
	for _, r := range rules(0) {
		all = append(all, r.public())
	}
	return all
}

func (r *rule) public() Rule { return Rule{r.name, columns[r.column].Name, r.says} }
