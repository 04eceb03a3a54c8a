package charge

import "strings"

// category is FOCUS's for a service.
type category struct {
	name, sub string
	unknown   bool
}

// services are the categories of the services that the guide names, and of some that stand in bills beside them. A service has one category
// only, so its name is enough.
var services = map[string]category{
	"vmware cloud on aws":           {name: "Compute", sub: "Virtual Machines"},
	"vmware cloud director service": {name: "Compute", sub: "Virtual Machines"},
	"vmware horizon cloud service":  {name: "Compute", sub: "End User Computing"},
	"vmware log intelligence":       {name: "Management and Governance", sub: "Observability"},
	"log intelligence":              {name: "Management and Governance", sub: "Observability"},
	"wavefront by vmware":           {name: "Management and Governance", sub: "Observability"},
	"vmware cost insight":           {name: "Management and Governance", sub: "Cost Management"},
	"cost insight":                  {name: "Management and Governance", sub: "Cost Management"},
	"vmware site recovery":          {name: "Management and Governance", sub: "Disaster Recovery"},
	"vmware network insight":        {name: "Networking", sub: "Network Infrastructure"},
	"vmware hcx":                    {name: "Migration", sub: "Resource Migration"},
	"vmware workspace one":          {name: "Management and Governance", sub: "Endpoint Management"},
}

func categoryOf(service string) category {
	if c, ok := services[strings.ToLower(strings.TrimSpace(service))]; ok {
		return c
	}
	return category{name: "Other", sub: "Other (Other)", unknown: true}
}
