"""What modes, evidence and corrections are called in French; `locale/en.po` has the English."""

from carbon import comparators
from carbon.modes import ModeGroup, TransportMode
from carbon.other_mode import Otherwise
from contributions.measures import ELSEWHERE, HOURS, Coordinate, Measure, Unit
from contributions.task import Task
from personal_store.ingest.positionfix import RejectReason
from personal_store.trips.corrections import CorrectionKind
from personal_store.trips.locations import PlaceKind
from personal_store.trips.timeline import ModeSource
from personal_store.whatif import ScenarioName

REASON_NAMES = {
    RejectReason.NO_TIME: "sans heure",
    RejectReason.TIME_WITHOUT_OFFSET: "heure sans fuseau (voir « import --local-times »)",
    RejectReason.NO_POSITION: "sans position",
    RejectReason.IMPOSSIBLE_COORDINATES: "coordonnées impossibles",
    RejectReason.BEFORE_1990: "avant 1990",
    RejectReason.IN_THE_FUTURE: "dans le futur",
    RejectReason.NOT_ONE_PERSON: "d'autres personnes (trajets en même temps)",
    RejectReason.UNREADABLE_ENTRY: "illisibles",
}

REASON_NAMES_EN = {
    RejectReason.NO_TIME: "without a time",
    RejectReason.TIME_WITHOUT_OFFSET: "times without an offset (see “import --local-times”)",
    RejectReason.NO_POSITION: "without a position",
    RejectReason.IMPOSSIBLE_COORDINATES: "impossible coordinates",
    RejectReason.BEFORE_1990: "before 1990",
    RejectReason.IN_THE_FUTURE: "in the future",
    RejectReason.NOT_ONE_PERSON: "of other people (journeys at the same time)",
    RejectReason.UNREADABLE_ENTRY: "unreadable",
}
"""For the terminal, which reads no catalogue."""

MODE_NAMES = {
    TransportMode.WALK: "à pied",
    TransportMode.RUN: "course à pied",
    TransportMode.BIKE: "vélo",
    TransportMode.EBIKE: "vélo électrique",
    TransportMode.ESCOOTER: "trottinette électrique",
    TransportMode.MOPED: "cyclomoteur",
    TransportMode.MOTORBIKE_SMALL: "petite moto",
    TransportMode.MOTORBIKE: "moto",
    TransportMode.CAR: "voiture",
    TransportMode.CAR_PETROL: "voiture essence",
    TransportMode.CAR_DIESEL: "voiture diesel",
    TransportMode.CAR_E85: "voiture E85",
    TransportMode.CAR_LPG: "voiture GPL",
    TransportMode.CAR_ELECTRIC: "voiture électrique",
    TransportMode.CAR_HYBRID: "voiture hybride",
    TransportMode.TAXI: "taxi",
    TransportMode.BUS: "bus",
    TransportMode.COACH: "autocar",
    TransportMode.TRAM: "tramway",
    TransportMode.METRO: "métro",
    TransportMode.TRAIN: "train",
    TransportMode.TRAIN_TER: "TER",
    TransportMode.TRAIN_INTERCITES: "Intercités",
    TransportMode.TRAIN_TGV: "TGV",
    TransportMode.PLANE: "avion",
    TransportMode.FERRY: "bateau",
    TransportMode.UNKNOWN: "mode incertain",
}
GROUP_NAMES = {
    ModeGroup.WALK: "à pied",
    ModeGroup.BIKE: "vélo",
    ModeGroup.TWO_WHEELER: "deux-roues motorisé",
    ModeGroup.CAR: "voiture",
    ModeGroup.TRANSIT: "transports urbains",
    ModeGroup.TRAIN: "train",
    ModeGroup.PLANE: "avion",
    ModeGroup.OTHER: "autre ou incertain",
}
MEASURE_NAMES = {
    Measure.KILOMETRES: "kilomètres par mode",
    Measure.TRIPS: "trajets par mode",
    Measure.KG_CO2E: "émissions par mode (cycle de vie)",
    Measure.DEPARTURES: "départs par heure",
    Measure.SHORT_CAR_TRIPS: "trajets courts en voiture",
    Measure.ACTIVE_MINUTES: "minutes à pied et à vélo",
    Measure.FLOWS: "trajets par zone d'arrivée",
}
UNIT_NAMES = {
    Unit.KILOMETRE: "km",
    Unit.TRIP: "trajets",
    Unit.KILOGRAM_CO2E: "kgCO₂e",
    Unit.MINUTE: "min",
}
FIELD_NAMES = {measure.purpose_field: name for measure, name in MEASURE_NAMES.items()} | {
    "zone_of_residence": "zone de résidence"
}
"""What a purpose calls the data that it may use; another writer's fields keep their own names."""
PART_NAMES = {
    "km_0_3": "moins de 3 km",
    "km_3_5": "de 3 à 5 km",
    ELSEWHERE: "hors du territoire",
    **{label: f"de {hour} h à {hour + 1} h" for hour, label in enumerate(HOURS)},
    **{group.value: name for group, name in GROUP_NAMES.items()},
}
"""What the parts of measures are called; flows have the zones' own names."""
MEASURE_NAMES_EN = {
    Measure.KILOMETRES: "kilometres by mode",
    Measure.TRIPS: "trips by mode",
    Measure.KG_CO2E: "emissions by mode (life cycle)",
    Measure.DEPARTURES: "departures by hour",
    Measure.SHORT_CAR_TRIPS: "short trips by car",
    Measure.ACTIVE_MINUTES: "minutes walked and cycled",
    Measure.FLOWS: "trips by the zone where they end",
}
"""For the terminal, which reads no catalogue."""
_PART_NAMES_EN = {
    "km_0_3": "less than 3 km",
    "km_3_5": "3 to 5 km",
    ELSEWHERE: "outside the territory",
    **{group.value: group.value.replace("_", "-") for group in ModeGroup},
    ModeGroup.WALK.value: "on foot",
    ModeGroup.TRANSIT.value: "urban transport",
    ModeGroup.OTHER.value: "other or uncertain",
}
SOURCE_NAMES = {
    ModeSource.RESIDENT: "vous l'avez dit",
    ModeSource.TAP: "validation de transport",
    ModeSource.CARPOOL: "preuve de covoiturage",
    ModeSource.HABIT: "votre habitude",
    ModeSource.SEGMENT: "l'historique importé le dit",
    ModeSource.SENSOR: "capteur d'activité du téléphone",
    ModeSource.MOTION: "déduit du mouvement",
}
CORRECTION_NAMES = {
    CorrectionKind.MODE: "mode",
    CorrectionKind.OCCUPANTS: "personnes à bord",
    CorrectionKind.PURPOSE: "motif",
    CorrectionKind.NOTE: "note",
    CorrectionKind.MERGE_LEGS: "étapes réunies",
    CorrectionKind.MERGE_TRIPS: "déplacements réunis",
    CorrectionKind.SPLIT: "déplacement coupé",
    CorrectionKind.HIDE: "déplacement masqué",
}
PLACE_NAMES = {
    PlaceKind.HOME: "domicile",
    PlaceKind.WORK: "travail",
    PlaceKind.OTHER: "autre lieu",
}
SCENARIO_NAMES = {
    ScenarioName.SHORT_CAR_BY_BIKE: "trajets courts en voiture faits à vélo, de jour",
    ScenarioName.COMMUTE_BY_CARPOOL: "domicile-travail en covoiturage deux jours par semaine",
    ScenarioName.ELECTRIC_CAR: "la même chose en voiture électrique",
    ScenarioName.OTHER_MODE: "les étapes d'un mode faites autrement",
}
OTHERWISE_NAMES = {
    Otherwise.BIKE: "à vélo",
    Otherwise.TRAIN: "en train",
    Otherwise.CARPOOL: "en covoiturage à deux",
}
FIGURE_NAMES = {
    comparators.Measure.USAGE: "usage, du puits à la roue",
    comparators.Measure.LIFE_CYCLE: "cycle de vie",
}
# The parts of an emission, by the names that `carbon.comparators.Scope` gives them.
EMISSION_PART_NAMES = {
    "upstream": "la production de l'énergie",
    "combustion": "sa combustion",
    "contrails": "les traînées des avions",
    "construction": "la fabrication des véhicules",
}
# What a published figure is about, by its id: the ones that a person's whole mobility can be
# held against. Those about one mode or one purpose are not among them.
COMPARATOR_NAMES = {
    "fr.emp2019.mobility": "Toute la mobilité des habitants de 6 ans et plus, France "
    "métropolitaine, 2019",
    "fr.emp2019.local": "Leur mobilité locale seule ; la vôtre compte ici aussi les longs voyages",
    "target.2t": "Tout ce qu'une personne consomme, pas seulement sa mobilité ; objectif pour la "
    "France en 2050",
}
COMPARATOR_SOURCES = {
    "fr.emp2019.mobility": "SDES, enquête Mobilité des personnes 2019",
    "fr.emp2019.local": "SDES, enquête Mobilité des personnes 2019 ; la part, appliquée au total",
    "target.2t": "SDES, empreinte carbone compatible avec la neutralité carbone en 2050",
}


def field_name(field: str) -> str:
    """Return what a purpose's field is called in French, or the field itself."""
    return FIELD_NAMES.get(field, field)


def unit_name(unit: Unit, value: float) -> str:
    """Return a unit after `value` in French, where less than two trips are singular."""
    return "trajet" if unit is Unit.TRIP and round(value, 1) < 2 else UNIT_NAMES[unit]


def part_name(coordinate: Coordinate, task: Task) -> str:
    """Return what a coordinate of a task is called in French, a zone by its own name."""
    if coordinate.measure is Measure.FLOWS:
        zone = task.zone(coordinate.label)
        return PART_NAMES[ELSEWHERE] if zone is None else zone.name
    return PART_NAMES.get(coordinate.label, coordinate.label)


def part_name_en(coordinate: Coordinate, task: Task) -> str:
    """Return what a coordinate of a task is called in English, a zone by its own name."""
    label = coordinate.label
    zone = task.zone(label) if coordinate.measure is Measure.FLOWS else None
    if zone is not None:
        return zone.name
    if label in HOURS:
        hour = HOURS.index(label)
        return f"{hour:02d}:00 to {hour + 1:02d}:00"
    return _PART_NAMES_EN.get(label, label)
