package bigquery

import (
	"maps"
	"slices"

	"github.com/providerdesk/providerdesk/shared/sim/rest"
)

// object is a request body after the check: published names, only fields that a caller may set, no nulls, no zero enumerations.
type object map[string]any

func bodies() rest.Bodies[object] { return rest.Bodies[object]{Schemas: schemas, Mandatory: mandatory} }

func (o object) text(name string) string      { return rest.Of[string](o, name) }
func (o object) object(name string) object    { return rest.Of[object](o, name) }
func (o object) texts(name string) []string   { return rest.All[string](o, name) }
func (o object) objects(name string) []object { return rest.All[object](o, name) }

// beyond is the first field, in the order of the alphabet, that is set and not among those that are simulated.
func (o object) beyond(known ...string) string {
	for _, name := range slices.Sorted(maps.Keys(o)) {
		if !slices.Contains(known, name) {
			return name
		}
	}
	return ""
}
