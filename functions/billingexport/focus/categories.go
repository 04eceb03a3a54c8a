package focus

// Values that rules speak of.
const (
	usage      = "Usage"
	purchase   = "Purchase"
	tax        = "Tax"
	correction = "Correction"
	usageBased = "Usage-Based"
)

// category is a ServiceCategory and its subcategories.
type category struct {
	name          string
	subcategories []string
}

// categories are all of FOCUS 1.2. A subcategory has one category only.
var categories = []category{
	{"AI and Machine Learning", []string{"AI Platforms", "Bots", "Generative AI", "Machine Learning", "Natural Language Processing", "Other (AI and Machine Learning)"}},
	{"Analytics", []string{"Analytics Platforms", "Business Intelligence", "Data Processing", "Search", "Streaming Analytics", "Other (Analytics)"}},
	{"Business Applications", []string{"Productivity and Collaboration", "Other (Business Applications)"}},
	{"Compute", []string{"Containers", "End User Computing", "Quantum Compute", "Serverless Compute", "Virtual Machines", "Other (Compute)"}},
	{"Databases", []string{"Caching", "Data Warehouses", "Ledger Databases", "NoSQL Databases", "Relational Databases", "Time Series Databases", "Other (Databases)"}},
	{"Developer Tools", []string{"Developer Platforms", "Continuous Integration and Deployment", "Development Environments", "Source Code Management", "Quality Assurance", "Other (Developer Tools)"}},
	{"Identity", []string{"Identity and Access Management", "Other (Identity)"}},
	{"Integration", []string{"API Management", "Messaging", "Workflow Orchestration", "Other (Integration)"}},
	{"Internet of Things", []string{"IoT Analytics", "IoT Platforms", "Other (Internet of Things)"}},
	{"Management and Governance", []string{"Architecture", "Compliance", "Cost Management", "Data Governance", "Disaster Recovery", "Endpoint Management", "Observability", "Support", "Other (Management and Governance)"}},
	{"Media", []string{"Content Creation", "Gaming", "Media Streaming", "Mixed Reality", "Other (Media)"}},
	{"Migration", []string{"Data Migration", "Resource Migration", "Other (Migration)"}},
	{"Mobile", []string{"Other (Mobile)"}},
	{"Multicloud", []string{"Multicloud Integration", "Other (Multicloud)"}},
	{"Networking", []string{"Application Networking", "Content Delivery", "Network Connectivity", "Network Infrastructure", "Network Routing", "Network Security", "Other (Networking)"}},
	{"Security", []string{"Secret Management", "Security Posture Management", "Threat Detection and Response", "Other (Security)"}},
	{"Storage", []string{"Backup Storage", "Block Storage", "File Storage", "Object Storage", "Storage Platforms", "Other (Storage)"}},
	{"Web", []string{"Application Platforms", "Other (Web)"}},
	{"Other", []string{"Other (Other)"}},
}

func serviceCategories() (names []string) {
	for _, c := range categories {
		names = append(names, c.name)
	}
	return names
}

func serviceSubcategories() (names []string) {
	for _, c := range categories {
		names = append(names, c.subcategories...)
	}
	return names
}

// parents returns the category of every subcategory.
func parents() map[string]string {
	of := map[string]string{}
	for _, c := range categories {
		for _, s := range c.subcategories {
			of[s] = c.name
		}
	}
	return of
}

// skuProperties are the keys of SkuPriceDetails that FOCUS defines; all others begin with x_.
var skuProperties = []string{
	"CoreCount", "DiskMaxIops", "DiskSpace", "DiskType", "GpuCount", "InstanceType", "InstanceSeries", "MemorySize", "NetworkMaxIops",
	"NetworkMaxThroughput", "OperatingSystem", "Redundancy", "StorageClass",
}
