package google

import "github.com/providerdesk/providerdesk/shared/sim/rest"

// object is a request body after the check: published names, only fields that a caller may set, no nulls, no zero enumerations.
type object map[string]any

func bodies(schemas map[string][]field) rest.Bodies[object] {
	return rest.Bodies[object]{Schemas: schemas, Mandatory: mandatory}
}

func (o object) text(name string) string      { return rest.Of[string](o, name) }
func (o object) flag(name string) bool        { return rest.Of[bool](o, name) }
func (o object) number(name string) int64     { return rest.Of[int64](o, name) }
func (o object) object(name string) object    { return rest.Of[object](o, name) }
func (o object) texts(name string) []string   { return rest.All[string](o, name) }
func (o object) objects(name string) []object { return rest.All[object](o, name) }
