/* What the data of the page hold, as outputs/map/data.py has it. Written by
   scripts/write_map_types.py, which is to be run again when that changes; not part of the page. */

/**
 * @typedef {object} Constants
 * @property {number} units_per_degree
 * @property {number} borderline
 * @property {number} days
 * @property {number} hours_of_day
 * @property {number} sure
 * @property {number} perhaps
 */

/**
 * @typedef {object} Paint
 * @property {string} [fill]
 * @property {string} [line]
 * @property {number} [gap_px]
 * @property {boolean} [dots]
 */

/**
 * @typedef {object} Paints
 * @property {Paint} covered
 * @property {Paint} nearly_covered
 * @property {Paint} nearly_uncovered
 * @property {Paint} uncovered
 * @property {Paint} perhaps
 * @property {Paint} gained
 * @property {Paint} lost
 */

/**
 * @typedef {object} Inks
 * @property {string} street
 * @property {string} halo
 * @property {Record<string, string>} places
 */

/**
 * @typedef {object} Palette
 * @property {string[]} minutes
 * @property {string[]} beyond
 * @property {string[]} reached
 * @property {Paints} paints
 * @property {string} gap
 * @property {string} gap_line
 * @property {string} gap_hatch
 * @property {string} off_network
 * @property {string} paper
 * @property {string} outside
 * @property {Record<string, string>} scenery
 * @property {string} street
 * @property {string} outline
 * @property {string} blank
 * @property {Inks} inks
 * @property {Paint} newly
 * @property {string} already
 * @property {string[]} gains
 * @property {string} proposed
 */

/**
 * @typedef {object} Said
 * @property {string} lang
 * @property {string} total_word
 * @property {Record<string, string>} words
 * @property {Record<string, string>} cause_words
 */

/**
 * @typedef {object} ServiceWords
 * @property {string} [access]
 * @property {string} [status]
 * @property {string} [left_out]
 * @property {string} [source]
 * @property {string} [source_date]
 */

/**
 * @typedef {object} SaidOtherwise
 * @property {string} lang
 * @property {string} total_word
 * @property {Record<string, string>} words
 * @property {Record<string, string>} cause_words
 * @property {Record<string, string>} labels
 * @property {Record<string, string>} nones
 * @property {string[]} places
 * @property {ServiceWords[]} services
 */

/**
 * @typedef {object} Bounds
 * @property {number} west
 * @property {number} south
 * @property {number} east
 * @property {number} north
 */

/**
 * @typedef {object} LatLng
 * @property {number} lat
 * @property {number} lng
 */

/**
 * @typedef {object} District
 * @property {string} id
 * @property {string} label
 * @property {LatLng} at
 * @property {number[][][]} shape
 * @property {string} [postcode]
 */

/**
 * @typedef {object} Scenery
 * @property {number[][][]} areas
 * @property {number[][]} lines
 */

/**
 * @typedef {object} PlaceName
 * @property {string} name
 * @property {string} kind
 * @property {number} area_ha
 * @property {LatLng} at
 */

/**
 * @typedef {object} PackedPoints
 * @property {string[]} x
 * @property {string[]} y
 */

/**
 * @typedef {object} PackedLines
 * @property {string[]} sizes
 * @property {PackedPoints} steps
 */

/**
 * @typedef {object} PackedLabels
 * @property {PackedPoints} at
 * @property {string[]} angle_deg
 * @property {string[]} room_m
 * @property {string[]} level
 * @property {string[]} name
 */

/**
 * @typedef {object} PackedStretches
 * @property {PackedPoints} at
 * @property {string[]} name
 * @property {string[]} part
 */

/**
 * @typedef {object} StreetMap
 * @property {PackedLines[]} classes
 * @property {string} names
 * @property {PackedLabels} labels
 * @property {PackedStretches} stretches
 */

/**
 * @typedef {object} FoundPlaces
 * @property {string} names
 * @property {string[]} kinds
 * @property {string[]} kind
 * @property {PackedPoints} at
 * @property {string[]} part
 */

/**
 * @typedef {object} Ground
 * @property {Bounds} bounds
 * @property {number[][][]} area
 * @property {District[]} districts
 * @property {Record<string, Scenery>} scenery
 * @property {PlaceName[]} place_names
 * @property {string[]} parts
 * @property {StreetMap} streets
 * @property {FoundPlaces} [found]
 */

/**
 * @typedef {object} GapMinutes
 * @property {number | null} min
 * @property {number | null} median
 * @property {number | null} max
 */

/**
 * @typedef {object} GapPart
 * @property {number} row
 * @property {number | null} area_ha
 * @property {number | null} residents
 * @property {GapMinutes} minutes
 * @property {string} [nearest]
 * @property {boolean} [discreet]
 * @property {string} [street]
 */

/**
 * @typedef {object} Gap
 * @property {number} rank
 * @property {LatLng} at
 * @property {string[]} districts
 * @property {number | null} area_ha
 * @property {number | null} residents
 * @property {GapMinutes} minutes
 * @property {number} cell
 * @property {number[][][]} shape
 * @property {GapPart[]} parts
 * @property {string} [nearest]
 * @property {boolean} [discreet]
 * @property {string} [street]
 * @property {string} [cause]
 * @property {Record<string, string>} [barrier]
 * @property {string} [opens]
 */

/**
 * @typedef {object} Ends
 * @property {(number | null)[]} at_least_pct
 * @property {(number | null)[]} at_most_pct
 * @property {(number | null)[]} residents_at_least
 * @property {(number | null)[]} residents_at_most
 */

/**
 * @typedef {object} CategoryFigures
 * @property {(number | null)[]} services_inside
 * @property {(number | null)[]} residents_covered_pct
 * @property {(number | null)[]} residents_beyond
 * @property {(number | null)[]} covered_pct
 * @property {(number | null)[]} minutes_median
 * @property {(number | null)[]} gaps_touching
 * @property {(number | null)[]} slow_pct
 * @property {(number | null)[]} fast_pct
 */

/**
 * @typedef {object} CategoryFiguresAt
 * @property {number} minutes
 * @property {(number | null)[]} residents_covered_pct
 * @property {(number | null)[]} residents_beyond
 * @property {(number | null)[]} covered_pct
 */

/**
 * @typedef {object} CategoryView
 * @property {string} id
 * @property {Gap[]} gaps
 * @property {Ends} [ends]
 * @property {string} [ends_told]
 * @property {(number | null)[]} confirmed_pct
 * @property {"category"} kind
 * @property {string} label
 * @property {string} none
 * @property {string} colour
 * @property {number} counted
 * @property {CategoryFigures} figures
 * @property {CategoryFiguresAt[]} figures_at
 * @property {boolean} [essential]
 * @property {boolean} [unjudged]
 * @property {number} [anchored]
 */

/**
 * @typedef {object} SharesAt
 * @property {number} minutes
 * @property {(number | null)[][]} shares_pct
 */

/**
 * @typedef {object} CompositeView
 * @property {string} id
 * @property {Gap[]} gaps
 * @property {Ends} [ends]
 * @property {string} [ends_told]
 * @property {(number | null)[]} confirmed_pct
 * @property {"composite"} kind
 * @property {number} total
 * @property {string[]} counted_at_all
 * @property {(number | null)[][]} shares_pct
 * @property {SharesAt[]} shares_at
 */

/**
 * @typedef {object} Service
 * @property {string} [access]
 * @property {string} [status]
 * @property {string} [left_out]
 * @property {string} [source]
 * @property {string} [source_date]
 * @property {LatLng} at
 * @property {string} category
 * @property {string} [name]
 * @property {string} [address]
 * @property {string} [hours]
 * @property {string} [audience]
 * @property {string} [capacity]
 * @property {string} [operator]
 * @property {boolean} [outside]
 */

/**
 * @typedef {object} Share
 * @property {number} x
 * @property {number} y
 */

/**
 * @typedef {object} Fit
 * @property {number} degree
 * @property {Share} centre
 * @property {Share} half
 * @property {number[]} col
 * @property {number[]} row
 */

/**
 * @typedef {object} PackedNearest
 * @property {number[]} places
 * @property {string[]} layers
 */

/**
 * @typedef {object} PackedCells
 * @property {number} width
 * @property {number} height
 * @property {number} cell_m
 * @property {Fit} fit
 * @property {number[]} upper_min
 * @property {number} far
 * @property {number} unreachable
 * @property {number} off_network
 * @property {Record<string, string>} minutes
 * @property {Record<string, PackedNearest>} nearest
 * @property {Record<string, string>} perhaps
 * @property {string} water
 * @property {string[]} district
 * @property {string[]} quarter
 * @property {string[]} quarters
 * @property {string[]} residents
 * @property {number} resident_unit
 */

/**
 * @typedef {object} CategoryHours
 * @property {number[]} hours
 * @property {string[]} classes
 * @property {string} table
 * @property {Ends[]} ends
 */

/**
 * @typedef {object} CompositeHours
 * @property {number[]} hours
 * @property {(number | null)[][][]} shares_pct
 * @property {(number | null)[][]} any_at_most_pct
 */

/**
 * @typedef {object} PackedHours
 * @property {Record<string, CategoryHours>} categories
 * @property {string} [monday]
 * @property {number[]} holidays
 * @property {string} [services]
 * @property {CompositeHours} [composite]
 * @property {boolean} [too_large]
 */

/**
 * @typedef {object} ProposalWords
 * @property {string[]} lines
 */

/**
 * @typedef {object} ProposedPlace
 * @property {LatLng} at
 * @property {number} rank
 * @property {string} name
 * @property {Record<string, string[]>} facts
 * @property {number[]} [line]
 */

/**
 * @typedef {object} Gains
 * @property {number[]} limits
 * @property {string} classes
 */

/**
 * @typedef {object} Proposal
 * @property {string} kind
 * @property {string} category
 * @property {string} unit
 * @property {Record<string, ProposalWords>} said
 * @property {ProposedPlace[]} places
 * @property {string} [minutes]
 * @property {Gains} [gains]
 */

/**
 * @typedef {object} PageData
 * @property {number} threshold_min
 * @property {number[]} thresholds_min
 * @property {number} gap_ha
 * @property {boolean} residents
 * @property {boolean} online
 * @property {Constants} constants
 * @property {Palette} palette
 * @property {Said} said
 * @property {SaidOtherwise} other
 * @property {Ground} ground
 * @property {string[]} rows
 * @property {string[]} places
 * @property {(CategoryView | CompositeView)[]} views
 * @property {Service[]} services
 * @property {PackedCells} cells
 * @property {PackedHours | null} hours
 * @property {Proposal[]} proposals
 * @property {string} [supposed]
 * @property {string[]} dossiers
 */

/**
 * @typedef {object} PackedEdges
 * @property {number} n_nodes
 * @property {number} n_edges
 * @property {PackedPoints} nodes
 * @property {string[]} begun
 * @property {string[]} span
 * @property {string[]} bends
 * @property {PackedPoints} bend_steps
 * @property {string[]} there
 * @property {string[]} back
 * @property {string} flags
 */

/**
 * @typedef {object} PackedBarriers
 * @property {number} n_lines
 * @property {string[]} rings_of_area
 * @property {string[]} points
 * @property {PackedPoints} steps
 */

/**
 * @typedef {object} PackedEntries
 * @property {string[]} places
 * @property {string[]} counts
 * @property {string[]} steps
 * @property {string} shares
 */

/**
 * @typedef {object} PackedWalks
 * @property {number} unit_m
 * @property {number} length_m
 * @property {number} cell_m
 * @property {number} metres_per_min
 * @property {number} reach_m
 * @property {number} snap_m
 * @property {number} always_m
 * @property {number} nearest_factor
 * @property {number} further_factor
 * @property {number[]} corner
 * @property {PackedEdges} edges
 * @property {PackedBarriers} barriers
 * @property {PackedEntries} cells
 * @property {number[][]} services
 * @property {string[]} ids
 * @property {PackedEntries} service_entries
 * @property {number[]} counted
 */

/** @typedef {CategoryView | CompositeView} View */

export {};
